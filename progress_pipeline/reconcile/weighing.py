"""Weighing windows against searches: the cheapest way to cover points in time, each of which holds gaps.

A window costs what it brings and covers all points in it; a search costs one call and covers one registration
wherever its points are. Only neighbours are worth a window, so the points stand in order and a window is a run of them.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from typing import TypeAlias

from progress_pipeline.reconcile.gaps import OpenGap
from progress_pipeline.vendor.windows import Window

Cost: TypeAlias = Callable[[Window], int]
"""Gives the calls that a window is expected to take."""

MOST_POINTS = 200
"""Points that are weighed against each other; more are first drawn together."""

MOST_IN_FULL, MOST_TRIED = 6, 30
"""Registrations with gaps in several places of which every choice is tried, and of which each is tried by itself."""


@dataclass(frozen=True)
class Point:
    """Gaps that one window closes together."""

    window: Window
    gaps: tuple[OpenGap, ...]


@dataclass(frozen=True)
class Weighed:
    """Points covered at the least cost.

    Attributes:
        windows: Runs of points, each covered by one window.
        searched: Gaps that are searched for instead.
    """

    windows: tuple[tuple[Point, ...], ...]
    searched: tuple[OpenGap, ...]


def span_of(points: Sequence[Point]) -> Window:
    """Give the window that covers a run of points."""
    return Window(points[0].window.start, max(point.window.end for point in points))


def weigh(points: Sequence[Point], searched: frozenset[str], cost: Cost, *, prefer_search: bool) -> Weighed:
    """Choose which neighbours share a window and which registrations are searched for.

    Args:
        points: What is to be covered, in any order.
        searched: Registrations that are searched for anyway; their gaps cost nothing more.
        cost: What a window costs.
        prefer_search: Which is chosen where both cost the same.
    """
    table = _Table(_drawn_together(points), cost, prefer_search=prefer_search)
    places = Counter(name for point in table.points for name in {gap.registration_id for gap in point.gaps})
    several = sorted((name for name, count in places.items() if count > 1 and name not in searched))
    chosen = min(
        _choices(several, searched, table),
        key=lambda names: (table.cover(names).calls + len(names), len(names), sorted(names)),
    )
    cover = table.cover(chosen)
    in_windows = {gap.gap_id for run in cover.windows for point in run for gap in point.gaps}
    in_windows -= {gap.gap_id for run in cover.windows for point in run for gap in point.gaps if _is_in(gap, chosen)}
    rest = (gap for point in table.points for gap in point.gaps if gap.gap_id not in in_windows)
    return Weighed(cover.windows, tuple(rest))


def _is_in(gap: OpenGap, names: frozenset[str]) -> bool:
    return gap.registration_id in names


def _choices(several: list[str], searched: frozenset[str], table: "_Table") -> Iterator[frozenset[str]]:
    """Give the sets of registrations worth trying to search for, because they have gaps in several places."""
    if len(several) <= MOST_IN_FULL:
        sets = chain.from_iterable(combinations(several, count) for count in range(len(several) + 1))
        yield from (searched | frozenset(names) for names in sets)
        return
    for start in (searched, searched | frozenset(several)):
        chosen = start
        for name in several[:MOST_TRIED]:
            other = chosen ^ {name}
            if table.cover(other).calls + len(other) < table.cover(chosen).calls + len(chosen):
                chosen = other
        yield chosen


def _drawn_together(points: Sequence[Point]) -> tuple[Point, ...]:
    """Sort points by time, and join neighbours until few enough are left to be weighed against each other."""
    points = sorted(points, key=lambda point: (point.window, point.gaps[0].gap_id))
    while len(points) > MOST_POINTS:
        pairs = [points[at : at + 2] for at in range(0, len(points), 2)]
        points = [Point(span_of(pair), tuple(gap for point in pair for gap in point.gaps)) for pair in pairs]
    return tuple(points)


@dataclass(frozen=True)
class _Cover:
    calls: int
    windows: tuple[tuple[Point, ...], ...]


class _Table:
    """The cheapest cover of points in order, for any set of registrations that are searched for anyway."""

    def __init__(self, points: tuple[Point, ...], cost: Cost, *, prefer_search: bool) -> None:
        self.points, self._cost, self._prefer_search = points, cost, prefer_search
        self._windows: dict[tuple[int, int], int] = {}
        self._covers: dict[frozenset[str], _Cover] = {}

    def cover(self, chosen: frozenset[str]) -> _Cover:
        """Cut what is not searched for anyway into windows, or search for its registrations one by one."""
        if chosen not in self._covers:
            self._covers[chosen] = self._cover(chosen)
        return self._covers[chosen]

    def _cover(self, chosen: frozenset[str]) -> _Cover:
        left = [at for at, point in enumerate(self.points) if any(not _is_in(gap, chosen) for gap in point.gaps)]
        best: list[tuple[int, bool, int]] = [(0, False, 0)]
        for at, index in enumerate(left):
            names = {gap.registration_id for gap in self.points[index].gaps} - chosen
            options = [(best[at][0] + len(names), not self._prefer_search, at)]
            options += [
                (best[first][0] + self._window(left[first], index), self._prefer_search, first)
                for first in range(at + 1)
            ]
            best.append(min(options))
        windows: list[tuple[Point, ...]] = []
        at = len(left)
        while at:
            _, second_choice, first = best[at]
            if second_choice == self._prefer_search:
                windows.append(tuple(self.points[index] for index in left[first:at]))
            at = first
        return _Cover(best[-1][0], tuple(windows[::-1]))

    def _window(self, first: int, last: int) -> int:
        if (first, last) not in self._windows:
            self._windows[first, last] = self._cost(span_of(self.points[first : last + 1]))
        return self._windows[first, last]
