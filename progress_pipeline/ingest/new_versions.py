"""Which of the records that the API returned tell something new: those that differ from the newest version loaded."""

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from progress_pipeline.vendor.quick import whole_numbers

if TYPE_CHECKING:
    import duckdb

MOST_SLICES = 1000
"""Records that come again stand together, so what is kept is a few slices, which share memory; a filter copies."""

_NEW_VERSIONS = """
    with longest as (
        select transaction_id
        from records
        where length(transaction_id) = (select max(length(transaction_id)) from records)
    ),

    shorter as (
        select transaction_id
        from records
        where length(transaction_id) < (select max(length(transaction_id)) from records)
    ),

    current_versions as (
        select transaction_id, max_by(record_hash, call_id * 10000000 + position) as current_hash
        from raw.api_progress
        where transaction_id in (select transaction_id from longest)
        group by transaction_id
        union all
        select transaction_id, max_by(record_hash, call_id * 10000000 + position) as current_hash
        from raw.api_progress
        where transaction_id in (select transaction_id from shorter)
        group by transaction_id
    ),

    repeated as (
        select transaction_id from records group by transaction_id having count(*) > 1
    ),

    sequenced as (
        select
            place,
            record_hash,
            transaction_id,
            lag(record_hash) over (partition by transaction_id order by place) as before_hash
        from records
        where transaction_id in (select transaction_id from repeated)
        union all
        select place, record_hash, transaction_id, null
        from records
        where transaction_id not in (select transaction_id from repeated)
    )

    select sequenced.place
    from sequenced
    left join current_versions on sequenced.transaction_id = current_versions.transaction_id
    where sequenced.record_hash is distinct from coalesce(sequenced.before_hash, current_versions.current_hash)
"""
"""Places of the records that differ from the newest version of their transaction.

A history is read where its transactions lie between the least and the greatest of those asked for. They are texts, so
numbers that become a digit longer have all others between them; by length, each half is narrow again. Each half is
grouped by itself, since one group of both holds 27 MB more.
"""


def new_versions(connection: "duckdb.DuckDBPyConnection", records: pa.Table) -> pa.Table:
    """Keep the records that differ from the newest version of their transaction; they come in the order of calls.

    Args:
        connection: To the warehouse.
        records: With `transaction_id` and `record_hash`; each is compared with the one before it of its transaction.
    """
    places = whole_numbers(np.arange(records.num_rows))
    connection.register("records", records.select(["transaction_id", "record_hash"]).append_column("place", places))
    kept = connection.sql(_NEW_VERSIONS).to_arrow_table()
    connection.unregister("records")
    is_kept = np.zeros(records.num_rows, dtype=np.bool_)
    is_kept[kept["place"].to_numpy()] = True
    edges = np.flatnonzero(np.diff(is_kept, prepend=False, append=False)).reshape(-1, 2).tolist()
    if len(edges) > MOST_SLICES:
        return records.filter(pa.array(is_kept))
    return pa.concat_tables([records.slice(0, 0), *(records.slice(begin, end - begin) for begin, end in edges)])
