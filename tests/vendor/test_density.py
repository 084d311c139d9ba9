"""How many rows a span holds and when it was last asked follow from the newest windows; a forecast follows the last."""

from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from progress_pipeline.vendor.cutting import Cutter, find_spike
from progress_pipeline.vendor.density import Density
from progress_pipeline.vendor.forecast import Forecast
from progress_pipeline.vendor.planning import ProvenWindow
from progress_pipeline.vendor.windows import Window, join, subtract
from tests.vendor.conftest import NOON

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def _proven(begin: int, end: int, rows: int, asked: int = 0) -> ProvenWindow:
    """Make a window in hours after noon, asked so many hours after noon."""
    return ProvenWindow(Window(NOON + begin * HOUR, NOON + end * HOUR), NOON + asked * HOUR, rows, "daily")


def _span(begin: float, end: float) -> Window:
    return Window(NOON + begin * HOUR, NOON + end * HOUR)


def test_the_newest_window_tells_the_rows_and_the_time() -> None:
    """Where an old window is asked again in part, that part is told by the new one."""
    density = Density([_proven(0, 10, 100, asked=10), _proven(4, 6, 60, asked=20)])
    assert density.rows(_span(0, 4)) == pytest.approx(40)
    assert density.rows(_span(4, 6)) == pytest.approx(60)
    assert density.rows(_span(3, 7)) == pytest.approx(80)
    assert density.asked_at(_span(4, 6)) == NOON + 20 * HOUR
    assert density.asked_at(_span(3, 5)) == NOON + 10 * HOUR


@pytest.mark.parametrize("span", [(-1, 5), (8, 12), (11, 12), (3, 7)])
def test_a_span_was_asked_only_if_all_of_it_was(span: tuple[int, int]) -> None:
    """A hole in the middle counts as never."""
    assert Density([_proven(0, 4, 4), _proven(6, 10, 4)]).asked_at(_span(*span)) is None


def test_nothing_is_known_of_nothing() -> None:
    """No window, no density."""
    density = Density([])
    assert (density.rows(_span(0, 1)), density.asked_at(_span(0, 1))) == (0.0, None)
    assert (density.average(_span(0, 1)), density.rows_per_second) == (None, None)


@pytest.mark.parametrize(
    ("windows", "begins"),
    [
        ([(0, 10, 30)], 0),
        ([(0, 10, 30), (5, 10, 31)], 0),
        ([(0, 10, 30), (0, 4, 60)], 4),
        ([(0, 10, 30), (0, 4, 60), (8, 10, 60)], 4),
        ([(0, 10, 30), (4, 6, 60)], 0),
        ([(0, 4, 30), (6, 10, 30)], 4),
        ([(-9, 4, 30), (4, 30, 9)], 4),
        ([], 0),
    ],
    ids=["at once", "in one run", "stopped at 4", "and the end", "the middle alone", "never", "longer", "nothing"],
)
def test_what_was_asked_longest_ago_is_where_asking_goes_on(windows: list[tuple[int, int, int]], begins: int) -> None:
    """Of ten hours; what was asked within one run counts as one."""
    density = Density([_proven(begin, end, 9, asked=asked) for begin, end, asked in windows])
    assert density.longest_ago(_span(0, 10)) == NOON + begins * HOUR


WINDOWS = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 9), st.integers(0, 50), st.integers(0, 9)), max_size=8)


@settings(max_examples=40, deadline=None)
@given(WINDOWS, st.integers(0, 28))
def test_density_says_of_each_hour_what_its_newest_window_says(
    windows: list[tuple[int, int, int, int]], hour: int
) -> None:
    """Held against a plain look at all windows."""
    proven = [_proven(begin, begin + length, rows, asked) for begin, length, rows, asked in windows]
    over = [one for one in proven if one.window.start <= NOON + hour * HOUR < one.window.end]
    density = Density(proven)
    asked_at = density.asked_at(_span(hour, hour + 1))
    assert asked_at == (max(one.attempted_at for one in over) if over else None)
    newest = [one.distinct_rows / (one.window.duration / HOUR) for one in over if one.attempted_at == asked_at]
    assert any(density.rows(_span(hour, hour + 1)) == pytest.approx(rate) for rate in newest or [0.0])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 9)), max_size=8))
def test_what_is_subtracted_and_what_is_left_are_the_whole(pairs: list[tuple[int, int]]) -> None:
    """Each hour of a span is in a window or in what is left, and never in both."""
    windows, span = [_span(begin, begin + length) for begin, length in pairs], _span(2, 18)
    left = subtract(span, windows)
    for hour in range(2, 18):
        at = NOON + (hour + 0.5) * HOUR
        is_covered = any(one.start <= at < one.end for one in windows)
        assert is_covered != any(one.start <= at < one.end for one in left)
    assert all(before.end < after.start for part in (join(windows), left) for before, after in pairwise(part))


def test_a_window_ends_after_it_starts_and_has_a_zone() -> None:
    """Anything else is a mistake of ours."""
    for start, end in ((NOON, NOON), (NOON, NOON - HOUR), (NOON.replace(tzinfo=None), NOON)):
        with pytest.raises(ValueError, match="window"):
            Window(start, end)


def test_a_forecast_follows_what_came_and_cuts_by_it() -> None:
    """A quiet week and then ten times as much: after a few windows it expects the new level."""
    forecast = Forecast()
    assert forecast.is_blind
    for day in range(3):
        forecast.learn(_span(24 * day, 24 * day + 24), 24)
    assert forecast.rows(_span(100, 110)) == pytest.approx(10, rel=0.2)
    for day in range(5):
        forecast.learn(_span(24 * day, 24 * day + 24), 240)
    assert forecast.rows(_span(100, 110)) == pytest.approx(100, rel=0.2)
    cut = forecast.cut(_span(0, 1000), 100, from_end=False)
    assert cut.start == NOON
    assert cut.duration / HOUR == pytest.approx(10, rel=0.25)
    assert forecast.cut(_span(0, 1000), 100, from_end=True).end == NOON + 1000 * HOUR


def test_an_instant_with_many_rows_is_set_apart() -> None:
    """The next window ends before it, so that this at least can be proved; the one after goes across it."""
    spike = NOON + 10 * HOUR
    instants = np.array([spike.timestamp()] * 50 + [(NOON + one * HOUR).timestamp() for one in range(20)])
    found = find_spike(instants)
    assert found is not None
    assert found.start == spike
    cutter, part = Cutter(newest_first=False), _span(0, 24)
    cutter.narrow(part, instants, can_isolate=True)
    assert cutter.at_most is not None
    assert part.start + cutter.at_most < spike
    cutter.narrow(Window(spike - timedelta(seconds=2), part.end), instants, can_isolate=True)
    assert cutter.at_most < timedelta(seconds=10)
    assert find_spike(np.linspace(0, 1e6, 50)) is None


def test_cutting_ends_at_a_second_or_where_it_changes_nothing() -> None:
    """Ever shorter windows that bring the same rows are of no use."""
    assert Cutter(newest_first=False).is_at_end(Window(NOON, NOON + timedelta(seconds=1)), {"1"}, 30)
    cutter = Cutter(newest_first=False)
    found = [cutter.is_at_end(_span(0, 8 / 2**step), {"1"}, 30) for step in range(5)]
    assert found == [False, False, False, True, True]
    assert not cutter.is_at_end(_span(0, 1), {"1"}, 29)
