"""How raw tables are made."""

from pathlib import Path

import duckdb

from progress_pipeline.ingest.raw_tables import WEBHOOK_DELIVERIES, ddl


def test_columns_of_random_digits_are_not_packed(tmp_path: Path) -> None:
    """Packing them costs each load more than the bytes that it saves; texts that repeat are packed."""
    with duckdb.connect(f"{tmp_path}/warehouse.duckdb") as connection:
        connection.execute("create schema raw")
        connection.execute(ddl(WEBHOOK_DELIVERIES))
        connection.execute("""
            insert into raw.webhook_deliveries by name
            select
                i::varchar as delivery_id, now() as received_at, 'application/json' as content_type, 9 as byte_count,
                sha256(i::varchar) as sha256, 1 as started_count, 0 as progressed_count, 0 as completion_count,
                0 as reject_count, 1 as load_number
            from range(5000) as numbers (i)""")
        connection.execute("checkpoint")
        packed = dict(
            connection.execute("""
                select column_name, compression from pragma_storage_info('raw.webhook_deliveries')
                where segment_type = 'VARCHAR' and column_name in ('sha256', 'content_type')""").fetchall()
        )
    assert packed["sha256"] == "Uncompressed"
    assert packed["content_type"] != "Uncompressed"
