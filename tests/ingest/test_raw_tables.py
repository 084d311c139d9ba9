"""How raw tables are made."""

from pathlib import Path

import duckdb

from progress_pipeline.ingest.raw_tables import API_PROGRESS, ddl


def test_columns_of_random_digits_are_not_packed(tmp_path: Path) -> None:
    """Packing them costs each load more than the bytes that it saves; texts that repeat are packed."""
    with duckdb.connect(f"{tmp_path}/warehouse.duckdb") as connection:
        connection.execute("create schema raw")
        connection.execute(ddl(API_PROGRESS))
        connection.execute("""
            insert into raw.api_progress (first_name, record_hash, call_id, position, observed_at, load_number)
            select 'Anna', md5(i::varchar), 1, i, now(), 1 from range(5000) as numbers (i)""")
        connection.execute("checkpoint")
        packed = dict(
            connection.execute("""
                select column_name, compression from pragma_storage_info('raw.api_progress')
                where segment_type = 'VARCHAR' and column_name in ('first_name', 'record_hash')""").fetchall()
        )
    assert packed["record_hash"] == "Uncompressed"
    assert packed["first_name"] != "Uncompressed"
