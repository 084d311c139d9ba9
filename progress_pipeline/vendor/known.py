"""What the warehouse knows that the asking is planned by: what is proven, what is not, and what is open."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from progress_pipeline.vendor.density import Density
from progress_pipeline.vendor.windows import Window


@dataclass(frozen=True)
class ProvenWindow:
    """A window that was proven complete.

    Attributes:
        window: The span.
        attempted_at: When it was asked.
        distinct_rows: Transactions in it.
        purpose: What it was asked for.
    """

    window: Window
    attempted_at: datetime
    distinct_rows: int
    purpose: str


@dataclass(frozen=True)
class UnprovenWindow:
    """A window that was asked and not proven.

    Attributes:
        window: The span.
        attempted_at: When it was asked.
        distinct_rows: Transactions that came, which tell nothing of how many there are.
    """

    window: Window
    attempted_at: datetime
    distinct_rows: int = 0


@dataclass(frozen=True)
class StartedDay:
    """The registrations that were started on a UTC day, as they stand now.

    Attributes:
        day: The day.
        open_count: Those that are not complete.
        total_count: All.
    """

    day: date
    open_count: int
    total_count: int


@dataclass(frozen=True)
class KnownState:
    """What the warehouse knows, as far as asking depends on it.

    Attributes:
        proven: Windows proven complete whose rows are committed.
        unproven: Windows that were asked and not proven, whether others cover them or not.
        started_days: Registrations by the day of their start.
        undated_open_count: Open registrations without a day of start.
    """

    proven: tuple[ProvenWindow, ...] = ()
    unproven: tuple[UnprovenWindow, ...] = ()
    started_days: tuple[StartedDay, ...] = ()
    undated_open_count: int = 0

    @cached_property
    def density(self) -> Density:
        """What the newest windows say of each stretch of time."""
        return Density(self.proven)
