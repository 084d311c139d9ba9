"""Spans of time, and what can be done with them: cutting, joining, subtracting. Nothing here knows the API."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

_START = attrgetter("start")


@dataclass(frozen=True, order=True)
class Window:
    """A span of time asked of the API, [start, end).

    Attributes:
        start: First instant in it, aware and in UTC.
        end: First instant after it, aware and in UTC.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a window's ends need a time zone")
        if self.end <= self.start:
            raise ValueError(f"a window ends after it starts, not [{self.start}, {self.end})")

    @property
    def duration(self) -> timedelta:
        """How long it is."""
        return self.end - self.start


def join(windows: Iterable[Window]) -> tuple[Window, ...]:
    """Join windows that touch or overlap; the result is ascending and disjoint."""
    joined: list[Window] = []
    for window in sorted(windows, key=_START):
        if joined and window.start <= joined[-1].end:
            joined[-1] = Window(joined[-1].start, max(joined[-1].end, window.end))
        else:
            joined.append(window)
    return tuple(joined)


def subtract(span: Window, covered: Iterable[Window]) -> tuple[Window, ...]:
    """Give the parts of a span that no covered window holds, ascending."""
    left: list[Window] = []
    at = span.start
    for window in join(covered):
        if window.end <= at or window.start >= span.end:
            continue
        if window.start > at:
            left.append(Window(at, window.start))
        at = max(at, window.end)
    if at < span.end:
        left.append(Window(at, span.end))
    return tuple(left)
