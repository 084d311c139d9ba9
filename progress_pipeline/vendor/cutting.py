"""Where to cut a span in time: by the forecast, and narrower after a window that was too full.

Many rows of one instant (an import, a class that begins together) cannot be cut apart. Windows end before it and begin
after it, so that they at least can be proved.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from progress_pipeline.vendor.forecast import Forecast
from progress_pipeline.vendor.windows import Window

SHORTEST = timedelta(seconds=1)
STUCK, LONG_STUCK = 3, 12
"""So often a narrower window brings the same rows until cutting is given up, where their number is known or not."""
SPIKE_SECONDS, SPIKE_SHARE = 4.0, 0.3
"""So many of an answer's rows within so many seconds are an instant of their own."""
BESIDE = timedelta(seconds=2)
"""Windows keep this far from such an instant, since an end may be in and a start reach back by a second."""


@dataclass
class Cutter:
    """Cuts one span.

    Attributes:
        newest_first: Which end it begins at.
        shortest: Windows that are no longer are not cut.
        at_most: How long the next window is at most.
        longest: How long any window may be; None if no limit is known.
    """

    newest_first: bool
    shortest: timedelta = SHORTEST
    at_most: timedelta | None = None
    longest: timedelta | None = None
    _stuck: int = 0
    _full: tuple[set[str], int | None] = field(default_factory=lambda: (set(), None))

    def part(self, left: Window, forecast: Forecast, target: float, almost_all: float) -> Window:
        """Give the next window of what is left."""
        part = left
        if not forecast.is_blind and forecast.rows(left) > target * almost_all:
            part = forecast.cut(left, target, from_end=self.newest_first)
        limits = [limit for limit in (self.at_most, self.longest) if limit is not None]
        if limits and part.duration > min(limits):
            at_most = max(min(limits), self.shortest)
            part = (
                Window(part.end - at_most, part.end) if self.newest_first else Window(part.start, part.start + at_most)
            )
        return part

    def rest(self, left: Window, part: Window) -> Window:
        """Give what is left after a window."""
        return Window(left.start, part.start) if self.newest_first else Window(part.end, left.end)

    def is_last(self, left: Window, part: Window) -> bool:
        """Say whether nothing is left after a window."""
        return part.start <= left.start if self.newest_first else part.end >= left.end

    def is_at_end(self, part: Window, ids: set[str], expected: int | None = None) -> bool:
        """Say whether cutting is of no use: the window is a second, or ever shorter ones bring the same rows.

        Args:
            part: The window.
            ids: The rows of its first page.
            expected: The rows that it is known to have; if that is not known, a first page tells little of the rest.
        """
        self._stuck = self._stuck + 1 if (ids, expected) == self._full else 0
        self._full = (ids, expected)
        return part.duration <= self.shortest or self._stuck >= (STUCK if expected is not None else LONG_STUCK)

    def narrow(self, part: Window, instants: NDArray[np.float64], *, can_isolate: bool) -> None:
        """Make the next window shorter than one that was too full.

        Args:
            part: The window that was too full.
            instants: When the rows that came of it happened.
            can_isolate: Whether ranges are read to the second.
        """
        half = part.duration / 2
        self.at_most = half
        spike = find_spike(instants) if can_isolate else None
        if spike is None or not part.start < spike.end or not spike.start < part.end:
            return
        reach = part.end - spike.end if self.newest_first else spike.start - part.start
        across = part.end - spike.start if self.newest_first else spike.end - part.start
        if reach - BESIDE > self.shortest:
            self.at_most = reach - BESIDE
        elif across + BESIDE < part.duration:
            self.at_most = across + BESIDE


def find_spike(instants: NDArray[np.float64]) -> Window | None:
    """Give the few seconds in which a large part of all rows happened, if there are such."""
    known = np.sort(instants[np.isfinite(instants)])
    if not len(known):
        return None
    ends = np.searchsorted(known, known + SPIKE_SECONDS, side="right")
    counts = ends - np.arange(len(known))
    first = int(counts.argmax())
    if counts[first] < SPIKE_SHARE * len(instants):
        return None
    last = float(known[ends[first] - 1])
    return Window(datetime.fromtimestamp(float(known[first]), UTC), datetime.fromtimestamp(last + 1, UTC))
