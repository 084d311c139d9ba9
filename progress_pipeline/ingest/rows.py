"""Rows as raw tables hold them: Arrow tables of their schemas, instants in UTC; and the row that tells of a run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa

from progress_pipeline.ingest.raw_tables import RawTable


@dataclass(frozen=True)
class RunFacts:
    """What `raw.runs` tells of a run: when it was, and by which settings it judges.

    Attributes:
        run_id: Dagster's name of the run.
        as_of: The instant that the run takes as now, aware.
        purpose: daily, backfill, repair, land or manual.
        start_at: First instant to be covered, aware.
        settle_minutes: Minutes that both witnesses are given.
        lookback_days: Days that each daily pull asks again.
        daily_calls: Calls that the vendor grants in a day.
    """

    run_id: str
    as_of: datetime
    purpose: str
    start_at: datetime
    settle_minutes: int
    lookback_days: int
    daily_calls: int

    def row(self, load_number: int) -> dict[str, object]:
        """Give the row of `raw.runs` for one of the run's loads."""
        return {
            "run_id": self.run_id,
            "as_of": naive(self.as_of),
            "purpose": self.purpose,
            "start_at": naive(self.start_at),
            "settle_minutes": self.settle_minutes,
            "lookback_days": self.lookback_days,
            "daily_calls": self.daily_calls,
            "load_number": load_number,
        }


def naive(instant: datetime) -> datetime:
    """Give an aware instant as raw tables hold it: UTC, without a zone."""
    return instant.astimezone(UTC).replace(tzinfo=None)


def arrow(table: RawTable, rows: Iterable[Mapping[str, object]]) -> pa.Table:
    """Make an Arrow table of one raw table's schema from rows, one mapping each."""
    return pa.Table.from_pylist([dict(row) for row in rows], schema=table.schema)
