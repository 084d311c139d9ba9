"""How many rows a span holds and when it was last asked, by the newest of all the windows that were proven.

Built once from all windows by a sweep over their ends, then asked for any span in the logarithm of their number; ten
years of windows are no burden. It takes anything that has a window, an instant and a number of rows.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np

from progress_pipeline.vendor.windows import Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NEVER = -np.inf
ONE_RUN = timedelta(hours=12)
"""Windows asked within this time of each other are taken to be of one run."""


class Attempted(Protocol):
    """A window that was proven."""

    @property
    def window(self) -> Window:
        """The span."""

    @property
    def attempted_at(self) -> datetime:
        """When it was asked."""

    @property
    def distinct_rows(self) -> int:
        """Transactions in it."""


class Density:
    """What the newest windows say of each stretch of time.

    Args:
        attempts: Windows that were proven, in any order.
    """

    def __init__(self, attempts: Iterable[Attempted]) -> None:
        ends: list[float] = []
        rates: list[float] = []
        asked: list[float] = []
        known = sorted(attempts, key=lambda one: one.window.start)
        marks = sorted({at.timestamp() for one in known for at in (one.window.start, one.window.end)})
        active: list[tuple[float, float, float]] = []
        following = 0
        for begin, end in pairwise(marks):
            while following < len(known) and known[following].window.start.timestamp() <= begin:
                one = known[following]
                rate = one.distinct_rows / one.window.duration.total_seconds()
                heappush(active, (-one.attempted_at.timestamp(), one.window.end.timestamp(), rate))
                following += 1
            while active and active[0][1] <= begin:
                heappop(active)
            ends.append(end)
            asked.append(-active[0][0] if active else NEVER)
            rates.append(active[0][2] if active else 0.0)
        self._marks: NDArray[np.float64] = np.array(marks)
        self._asked: NDArray[np.float64] = np.array(asked)
        lengths = np.diff(self._marks) if len(marks) > 1 else np.zeros(0)
        self._rows: NDArray[np.float64] = np.concatenate([[0.0], np.cumsum(lengths * np.array(rates))])
        self._seconds = float(lengths[np.isfinite(self._asked)].sum()) if len(lengths) else 0.0

    @property
    def rows_per_second(self) -> float | None:
        """The rows of a second over all that is proven; None if nothing is."""
        return float(self._rows[-1]) / self._seconds if self._seconds else None

    def average(self, span: Window) -> float | None:
        """Give the rows of a span as long as this one over all that is proven; None if nothing is."""
        per_second = self.rows_per_second
        return None if per_second is None else per_second * span.duration.total_seconds()

    def rows(self, span: Window) -> float:
        """Give the rows that a span is known to hold."""
        if len(self._marks) == 0:
            return 0.0
        ends = np.array([span.start.timestamp(), span.end.timestamp()])
        before, after = np.interp(ends, self._marks, self._rows)
        return float(after - before)

    def asked_at(self, span: Window) -> datetime | None:
        """Give when a span was last asked as a whole, part by part; None if a part of it never was."""
        begin, end = span.start.timestamp(), span.end.timestamp()
        if len(self._marks) == 0 or begin < self._marks[0] or end > self._marks[-1]:
            return None
        first = int(np.searchsorted(self._marks, begin, side="right")) - 1
        last = int(np.searchsorted(self._marks, end, side="left"))
        oldest = float(self._asked[first:last].min())
        return EPOCH + timedelta(seconds=oldest) if np.isfinite(oldest) else None

    def longest_ago(self, span: Window) -> datetime:
        """Give where in a span the first of the stretches begins whose last asking is the longest ago."""
        begin, end = span.start.timestamp(), span.end.timestamp()
        edges = np.union1d(self._marks[(self._marks > begin) & (self._marks < end)], [begin])
        places = np.searchsorted(self._marks, edges, side="right") - 1
        is_known = (places >= 0) & (places < len(self._asked))
        asked = np.full(len(edges), NEVER)
        asked[is_known] = self._asked[places[is_known]]
        first = int(np.argmax(asked <= asked.min() + ONE_RUN.total_seconds()))
        return EPOCH + timedelta(seconds=float(edges[first])) if first else span.start
