"""Which of the records that the API returned tell something new: those that differ from the newest version loaded."""

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from progress_pipeline.ingest.raw_tables import RECORD_COLUMNS
from progress_pipeline.vendor.quick import whole_numbers

if TYPE_CHECKING:
    import duckdb

MOST_SLICES = 1000
"""Records that come again stand together, so what is kept is a few slices, which share memory; a filter copies."""

_NAMES = [column.name for column in RECORD_COLUMNS]
_SAID = f"md5(concat({', '.join(f'length({name}), chr(58), {name}' for name in _NAMES)}))"
"""Stands for what a record said: each value comes after its length, so no two records make one text.

Of a null, which `concat` leaves out, the colon alone stands.
"""

_TOLD_BEFORE = f"""
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

    newest as (
        select max_by(rowid, call_id * 10000000 + position) as place
        from raw.api_progress
        where transaction_id in (select transaction_id from longest)
        group by transaction_id
        union all
        select max_by(rowid, call_id * 10000000 + position) as place
        from raw.api_progress
        where transaction_id in (select transaction_id from shorter)
        group by transaction_id
    ),

    current_versions as materialized (
        select transaction_id, {_SAID} as currently_said
        from raw.api_progress
        where rowid in (select place from newest)
    ),

    come_again as (
        select transaction_id from current_versions
        union
        select transaction_id from records group by transaction_id having count(*) > 1
    ),

    sequenced as (
        select
            place,
            transaction_id,
            {_SAID} as said,
            lag({_SAID}) over (partition by transaction_id order by place) as said_before
        from records
        where transaction_id in (select transaction_id from come_again)
    )

    select sequenced.place
    from sequenced
    left join current_versions on sequenced.transaction_id = current_versions.transaction_id
    where sequenced.said = coalesce(sequenced.said_before, current_versions.currently_said)
"""  # noqa: S608 - the names are our own
"""Places of the records that say what the newest version of their transaction said.

A history is read where its transactions lie between the least and the greatest of those asked for. They are texts, so
numbers that become a digit longer have all others between them; by length, each half is narrow again. Each half is
grouped by itself, since one group of both holds 27 MB more. Only what comes again is held against anything, and what it
said before is read by its row, since to read all columns beside all transactions held 25 MB more at four million.
"""


def new_versions(connection: "duckdb.DuckDBPyConnection", records: pa.Table) -> pa.Table:
    """Keep the records that differ from the newest version of their transaction; they come in the order of calls.

    Args:
        connection: To the warehouse.
        records: With `RECORD_COLUMNS`; each is compared with the one before it of its transaction.
    """
    places = whole_numbers(np.arange(records.num_rows))
    connection.register("records", records.select(_NAMES).append_column("place", places))
    told_before = connection.sql(_TOLD_BEFORE).to_arrow_table()
    connection.unregister("records")
    if not told_before.num_rows:
        return records
    is_new = np.ones(records.num_rows, dtype=np.bool_)
    is_new[told_before["place"].to_numpy()] = False
    edges = np.flatnonzero(np.diff(is_new, prepend=False, append=False)).reshape(-1, 2).tolist()
    if len(edges) > MOST_SLICES:
        return records.filter(pa.array(is_new))
    return pa.concat_tables([records.slice(0, 0), *(records.slice(begin, end - begin) for begin, end in edges)])
