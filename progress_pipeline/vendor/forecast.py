"""How many rows a span will hold, from what came: a level that follows the last windows, times a week's usual course.

A forecast that is wrong costs a call, never a row.
"""

from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from progress_pipeline.vendor.windows import Window

HOURS = 168
HOUR = timedelta(hours=1)
HOUR_SECONDS = 3600
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
KEPT = 0.6
"""What an older window's say is worth against the next one's."""
BLUR = 20.0
"""Rows that each hour of the week is taken to have had before any came, so that a few rows make no pattern."""


class Forecast:
    """Expects rows in spans of one vendor.

    Args:
        rows_per_hour: What is expected before anything came; None if nothing is known.
    """

    def __init__(self, rows_per_hour: float | None = None) -> None:
        self._hours: NDArray[np.float64] = np.zeros(HOURS)
        self._rows, self._weight = (0.0, 0.0) if rows_per_hour is None else (rows_per_hour, 1.0)

    @property
    def is_blind(self) -> bool:
        """Whether nothing is known yet."""
        return self._weight == 0.0

    def learn(self, span: Window, rows: float, instants: NDArray[np.float64] | None = None) -> None:
        """Add what a span held.

        Args:
            span: The span.
            rows: Rows in it.
            instants: When they happened, in seconds since 1970, as far as that can be read.
        """
        if instants is not None:
            known = instants[np.isfinite(instants)]
            hours = (known // HOUR_SECONDS).astype(np.int64) % HOURS
            self._hours += np.bincount(hours, minlength=HOURS)
        weight = self._weigh(span)
        self._rows = KEPT * self._rows + rows
        self._weight = KEPT * self._weight + weight

    def rows(self, span: Window) -> float:
        """Give the rows that a span is expected to hold."""
        return 0.0 if self.is_blind else self._weigh(span) * self._rows / self._weight

    def cut(self, span: Window, target: float, *, from_end: bool) -> Window:
        """Give the part at one end of a span that is expected to hold so many rows."""
        if self.is_blind or self._rows == 0.0:
            return span
        wanted = target * self._weight / self._rows
        edges, weights = self._steps(span)
        if from_end:
            edges, weights = edges[::-1], weights[::-1]
        reached = np.cumsum(weights)
        step = int(np.searchsorted(reached, wanted))
        if step >= len(weights):
            return span
        before = reached[step - 1] if step else 0.0
        part = (wanted - before) / weights[step] if weights[step] else 1.0
        at = edges[step] + (edges[step + 1] - edges[step]) * part
        cut = EPOCH + timedelta(seconds=round(float(at)))
        if not span.start < cut < span.end:
            return span
        return Window(cut, span.end) if from_end else Window(span.start, cut)

    def _profile(self) -> NDArray[np.float64]:
        smooth = self._hours + max(BLUR, 0.2 * float(self._hours.mean()))
        profile: NDArray[np.float64] = smooth / smooth.mean()
        return profile

    def _steps(self, span: Window) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give a span's hours: their edges in seconds since 1970, and what each weighs."""
        begin, end = span.start.timestamp(), span.end.timestamp()
        first = np.floor(begin / HOUR_SECONDS) + 1
        inner = np.arange(first, np.ceil(end / HOUR_SECONDS)) * HOUR_SECONDS
        edges = np.concatenate([[begin], inner, [end]])
        hours = (edges[:-1] // HOUR_SECONDS).astype(np.int64) % HOURS
        weights: NDArray[np.float64] = np.diff(edges) / HOUR_SECONDS * self._profile()[hours]
        return edges, weights

    def _weigh(self, span: Window) -> float:
        return max(float(self._steps(span)[1].sum()), 1e-9)
