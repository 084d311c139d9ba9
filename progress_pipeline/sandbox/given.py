"""A world of given records: a Parquet file with the twelve fields of the page, each record one registration.

Records are served as they stand in the file. Unfolded, each is told in two updates, a start and its final state.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from progress_pipeline.errors import UsageError
from progress_pipeline.sandbox.chance import Whole, draws
from progress_pipeline.sandbox.config import WorldSwitches
from progress_pipeline.sandbox.instants import DAY, NEVER, SECOND, to_us
from progress_pipeline.sandbox.world import COMPLETION, PROGRESSED, SCHEMA, STARTED, World

UNFOLDED_WITHIN = 90 * DAY
"""How long after its start a registration that never completed moved last, at most; the file does not say."""


def read_given(switches: WorldSwitches, path: Path) -> World:
    """Read given records as updates, in no order.

    Raises:
        UsageError: The file is not one of records.
    """
    try:
        found = pq.read_table(path)
        missing = [name for name in SCHEMA.names if name not in found.column_names]
        if missing:
            raise UsageError(f"The sandbox cannot serve {path}: it has no column {', '.join(missing)}.")
        table = pa.table([_cast(found[field.name].combine_chunks(), field.type) for field in SCHEMA], schema=SCHEMA)
    except (pa.ArrowException, OSError) as error:
        raise UsageError(f"The sandbox cannot serve {path}: {error}.") from error
    world = _date(switches, table)
    return _unfold(switches, world) if switches.records_unfold else world


def _cast(column: pa.Array, kind: pa.DataType) -> pa.Array:
    """Read a column; dates may be timestamps or ISO 8601 text in UTC, and empty text is nothing."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = pc.if_else(pc.equal(column, ""), None, column)
        if pa.types.is_timestamp(kind):
            column = pc.utf8_rtrim(column, "Z")
    return column.cast(kind)


def _date(switches: WorldSwitches, table: pa.Table) -> World:
    """Say when each record came to stand as it does: at its completion, or its start, or before all that is dated."""
    started, completed = (table[name].cast(pa.int64()) for name in ("dateStarted", "dateCompleted"))
    known = pc.coalesce(completed, started)
    earliest = pc.min(known).as_py()
    at: Whole = known.fill_null(to_us(switches.start_at) if earliest is None else earliest).to_numpy().copy()
    progress = table["progress"].fill_null(0).to_numpy()
    kind = np.where(progress > 0, PROGRESSED, STARTED)
    kind[completed.is_valid().to_numpy()] = COMPLETION
    learner = table["email"].fill_null("").combine_chunks().dictionary_encode().indices.to_numpy()
    activity = table["activityId"].fill_null("").combine_chunks().dictionary_encode().indices.to_numpy()
    return World(
        table,
        at,
        kind.astype(np.int64),
        np.arange(len(at), dtype=np.int64),
        learner.astype(np.int64),
        activity.astype(np.int64),
    )


def _unfold(switches: WorldSwitches, world: World) -> World:
    """Put a start before each record that is dated and more than a start, and let those that never completed move."""
    started = world.table["dateStarted"].cast(pa.int64()).fill_null(NEVER).to_numpy()
    at = world.at.copy()
    moved_after = (draws(switches.seed, "given", len(world)) * UNFOLDED_WITHIN).astype(np.int64) // SECOND * SECOND
    moves = (world.kind == PROGRESSED) & (started != NEVER)
    at[moves] += moved_after[moves]
    world = replace(world, at=at)
    starts = world.taking(np.flatnonzero((world.kind != STARTED) & (started < at)))
    starts = replace(
        starts,
        at=starts.table["dateStarted"].cast(pa.int64()).to_numpy(),
        kind=np.full(len(starts), STARTED, dtype=np.int64),
    )
    starts = starts.having("progress", pa.array(np.zeros(len(starts))))
    for field in ("dateCompleted", "completionCode"):
        starts = starts.having(field, pa.nulls(len(starts), SCHEMA.field(field).type))
    if switches.transactions == "per_update":
        first = int(world.transaction_ids.max(initial=0)) + 1
        starts = starts.having("transactionId", pa.array(np.arange(first, first + len(starts))))
    return world.with_more(starts)
