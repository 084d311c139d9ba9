"""A world of given records: a Parquet file with the twelve fields of the page, each record one registration.

Records are served as they stand in the file. Unfolded, each is told in two updates, a start and its final state.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from progress_pipeline.errors import UsageError
from progress_pipeline.sandbox.chance import draws
from progress_pipeline.sandbox.config import WorldSwitches
from progress_pipeline.sandbox.instants import DAY, NEVER, SECOND, read_date, to_us
from progress_pipeline.sandbox.world import COMPLETION, PROGRESSED, SCHEMA, STARTED, Happening, Registration

ROWS_AT_ONCE = 50_000
UNFOLDED_WITHIN = 90 * DAY
"""How long after its start a registration that never completed moved last, at most; the file does not say."""


def read_given(switches: WorldSwitches, path: Path) -> tuple[list[Happening], list[Registration]]:
    """Read given records as updates, in no order, and their registrations.

    Raises:
        UsageError: The file is not one of records.
    """
    file = pq.ParquetFile(path)
    missing = [name for name in SCHEMA.names if name not in file.schema_arrow.names]
    if missing:
        raise UsageError(f"The sandbox cannot serve {path}: it has no column {', '.join(missing)}.")
    records = (
        record for batch in file.iter_batches(ROWS_AT_ONCE, columns=SCHEMA.names) for record in batch.to_pylist()
    )
    try:
        happenings, registrations = _tell(switches, records, file.metadata.num_rows)
    except (TypeError, ValueError) as error:
        raise UsageError(f"The sandbox cannot serve {path}: {error}.") from error
    return happenings, registrations


def _tell(
    switches: WorldSwitches, records: Iterable[Mapping[str, Any]], count: int
) -> tuple[list[Happening], list[Registration]]:
    moved = draws(switches.seed, "given", count)
    learners: dict[str, int] = {}
    registrations: list[Registration] = []
    finals: list[Happening] = []
    earliest = NEVER
    for number, record in enumerate(records):
        started_at, completed_at = _instant(record["dateStarted"]), _instant(record["dateCompleted"])
        registrations.append(
            Registration(
                learners.setdefault(record["email"], len(learners)),
                record["firstName"],
                record["lastName"],
                record["email"],
                record["memberIdentifier"] or None,
                record["activityId"],
                record["activityTitle"],
                record["registration"],
                started_at,
            )
        )
        progress = float(record["progress"] or 0)
        kind = COMPLETION if completed_at is not None else PROGRESSED if progress else STARTED
        at = completed_at if completed_at is not None else started_at
        if kind == PROGRESSED and started_at is not None and switches.records_unfold:
            at = started_at + int(moved[number] * UNFOLDED_WITHIN) // SECOND * SECOND
        earliest = earliest if at is None else min(earliest, at)
        finals.append(
            Happening(
                NEVER if at is None else at,
                number,
                kind,
                progress,
                completed_at,
                record["completionCode"] or None,
                int(record["transactionId"]),
            )
        )
    for one in finals:
        if one.at == NEVER:  # nothing says when, so it stands before all that is dated
            one.at = to_us(switches.start_at) if earliest == NEVER else earliest
    return (_unfold(switches, finals, registrations) if switches.records_unfold else finals), registrations


def _unfold(switches: WorldSwitches, finals: list[Happening], registrations: list[Registration]) -> list[Happening]:
    """Put a start before each final state whose registration is dated and that is not itself a start."""
    number = max((one.transaction_id or 0 for one in finals), default=0)
    starts = []
    for one in finals:
        started_at = registrations[one.registration].started_at
        if one.kind != STARTED and started_at is not None and started_at < one.at:
            number += 1
            is_in_place = switches.transactions == "in_place"
            transaction_id = one.transaction_id if is_in_place else number
            starts.append(Happening(started_at, one.registration, STARTED, transaction_id=transaction_id))
    return starts + finals


def _instant(value: object) -> int | None:
    """Read a date of a record, a timestamp or ISO 8601 text in UTC; empty is none."""
    if value is None or value == "":
        return None
    return read_date(value.isoformat() if isinstance(value, datetime) else str(value), "UTC")
