"""Records that can be asked for again, to see by which windows they are found (`date_probe`)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from progress_pipeline.vendor.answers import COMPLETED, FARTHEST_ZONE, STARTED, WHOLE_DAY
from progress_pipeline.vendor.dates import seconds
from progress_pipeline.vendor.exchange import Answer

FARTHEST = FARTHEST_ZONE + WHOLE_DAY + timedelta(hours=2)
"""A record stands no farther from its date than this, whatever the zone and the grain."""
APART = 2 * FARTHEST + WHOLE_DAY
QUARTER, EDGE = 900, 3
WINTER, SUMMER = frozenset({11, 12, 1, 2}), frozenset({5, 6, 7, 8})
SETTLED = timedelta(hours=1)
NO_PROGRESS = frozenset({"0", "0.0", None, ""})


@dataclass(frozen=True)
class Witness:
    """A record that is asked for again.

    Attributes:
        transaction_id: Its transaction.
        registration: What it is searched by.
        started_at: When it was started, if that is told.
        completed_at: When it was completed, if it was.
        is_new: Whether it tells no progress, so that it may not have changed since its start.
    """

    transaction_id: str
    registration: str
    started_at: datetime | None
    completed_at: datetime | None
    is_new: bool

    @property
    def is_long(self) -> bool:
        """Whether its two dates are too far apart for one to be taken for the other."""
        return (
            self.started_at is not None
            and self.completed_at is not None
            and self.completed_at - self.started_at > APART
        )

    @property
    def is_plain(self) -> bool:
        """Whether its instants are away from each quarter of an hour, so that none is a midnight in any zone."""
        return all(EDGE <= at.timestamp() % QUARTER <= QUARTER - EDGE for at in self.dates().values())

    def dates(self) -> dict[str, datetime]:
        """Give the dates by which the filter may find it, the likelier first."""
        dates = {COMPLETED: self.completed_at, STARTED: self.started_at}
        return {name: at for name, at in dates.items() if at is not None}


def witnesses(answer: Answer) -> list[Witness]:
    """Give records of an answer that can be asked for again: completed long after their start, one a season first."""
    records = answer.page.records
    columns = zip(
        records["transaction_id"].to_pylist(),
        records["registration"].to_pylist(),
        _exactly(records["date_started"]),
        _exactly(records["date_completed"]),
        records["progress"].to_pylist(),
        strict=True,
    )
    found = [
        Witness(transaction_id, registration.strip(), started, completed, progress in NO_PROGRESS)
        for transaction_id, registration, started, completed, progress in columns
        if registration and registration.strip()
    ]
    usable = [one for one in found if one.dates() and _is_settled(one, answer.observed_at)]
    usable.sort(key=_rank)
    seasons = [next((one for one in usable if _month(one) in season), None) for season in (WINTER, SUMMER)]
    chosen = sorted((one for one in seasons if one is not None), key=_rank)
    return chosen + [one for one in usable if one not in chosen]


def _rank(one: Witness) -> tuple[bool, bool, bool]:
    """Rank those first whose dates tell most of the filter."""
    return not one.is_long, one.completed_at is None, not one.is_new


def _exactly(column: pa.ChunkedArray) -> list[datetime | None]:
    """Give each date with its fraction, where there is one to be read."""
    return [
        datetime.fromisoformat(text.strip()).replace(tzinfo=UTC) if at == at else None  # noqa: PLR0124 - NaN differs
        for text, at in zip(column.to_pylist(), seconds(column), strict=True)
    ]


def _is_settled(one: Witness, now: datetime) -> bool:
    return all(at < now - SETTLED for at in one.dates().values())


def _month(one: Witness) -> int:
    return next(iter(one.dates().values())).month
