"""Repair planning: few calls, the valuable first, and nothing that is not due."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from progress_pipeline.reconcile.planning import FilterOn, OpenGap, RepairPlan, plan_repairs
from progress_pipeline.vendor.windows import Window

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SPAN = Window(NOW - timedelta(days=60), NOW)
PAGE = 100


def gap(number: int, days_ago: float, registration: str | None = None, **changes: object) -> OpenGap:
    """Make a gap that was told some days ago."""
    told_at = NOW - timedelta(days=days_ago)
    plain = OpenGap(f"gap-{number}", registration or f"registration-{number}", "progressed", told_at)
    return OpenGap(**{**plain.__dict__, **changes})


def plan(
    gaps: list[OpenGap], *, rows_a_day: float = 40.0, calls: int = 50, filter_on: FilterOn | None = "last_change"
) -> RepairPlan:
    """Plan for a vendor with so many rows a day."""
    return plan_repairs(
        gaps,
        now=NOW,
        span=SPAN,
        calls=calls,
        page_size=PAGE,
        rows=lambda window: rows_a_day * (window.duration / timedelta(days=1)),
        filter_on=filter_on,
    )


def test_near_gaps_share_one_window() -> None:
    """Three gaps of one day fit in a page together: one call."""
    made = plan([gap(1, 3.0), gap(2, 3.2), gap(3, 3.5)])
    assert [(ask.search, sorted(ask.gap_ids)) for ask in made.asks] == [("", ["gap-1", "gap-2", "gap-3"])]
    assert made.calls == 1


def test_each_window_holds_the_dates_of_its_gaps() -> None:
    """Whatever is merged, the window of a gap holds the instant that the gap is asked for by."""
    gaps = [gap(number, 0.7 * number) for number in range(1, 60)]
    by_id = {one.gap_id: one for one in gaps}
    for ask in plan(gaps).asks:
        for gap_id in ask.gap_ids:
            assert ask.window_start <= by_id[gap_id].told_at < ask.window_end


def test_a_busy_vendor_is_searched_for_a_single_gap() -> None:
    """Where even the shortest window takes many calls, a search by registration takes one."""
    made = plan([gap(1, 3.0)], rows_a_day=1_000_000)
    assert [ask.search for ask in made.asks] == ["registration-1"]
    assert (made.asks[0].window_start, made.asks[0].window_end) == (SPAN.start, SPAN.end)


def test_gaps_of_one_registration_far_apart_are_one_search() -> None:
    """Three windows would be needed; one search closes all three."""
    made = plan([gap(1, 3.0, "r"), gap(2, 20.0, "r"), gap(3, 40.0, "r")])
    assert [(ask.search, len(ask.gap_ids)) for ask in made.asks] == [("r", 3)]


def test_the_filter_decides_by_which_date_is_asked() -> None:
    """A vendor that filters by start is asked for the start, and searched where no start is known."""
    started_at = NOW - timedelta(days=30)
    made = plan([gap(1, 3.0, started_at=started_at), gap(2, 3.0)], filter_on="started")
    window = next(ask for ask in made.asks if ask.gap_ids == ("gap-1",))
    assert window.window_start <= started_at < window.window_end
    assert next(ask for ask in made.asks if ask.gap_ids == ("gap-2",)).search == "registration-2"


def test_without_a_known_filter_a_lone_gap_is_searched_for() -> None:
    """A search finds it whatever the filter is, for the same single call."""
    assert [ask.search for ask in plan([gap(1, 3.0)], filter_on=None).asks] == ["registration-1"]


def test_what_a_window_did_not_bring_is_searched_for_next() -> None:
    """A second try by the same date would bring the same."""
    made = plan([gap(1, 3.0), gap(2, 3.0, attempt_count=1)])
    assert {ask.gap_ids: ask.search for ask in made.asks} == {("gap-1",): "", ("gap-2",): "registration-2"}


def test_a_registration_without_a_name_is_asked_for_by_its_date() -> None:
    """No search finds a registration that the vendor did not name, so it is never searched for."""
    made = plan([gap(1, 3.0, "transaction:7", attempt_count=2)])
    assert [ask.search for ask in made.asks] == [""]


def test_a_gap_before_its_next_try_is_left_alone_and_named() -> None:
    """What is tried again later costs nothing today."""
    made = plan([gap(1, 3.0, next_try_at=NOW + timedelta(hours=1)), gap(2, 9.0, next_try_at=NOW)])
    assert made.not_yet == ("gap-1",)
    assert [ask.gap_ids for ask in made.asks] == [("gap-2",)]


def test_completions_come_first_and_what_is_not_affordable_is_named() -> None:
    """With one call left the completion is asked for, though the other gap is older."""
    made = plan([gap(1, 30.0), gap(2, 3.0, update_kind="completion")], calls=1)
    assert [ask.gap_ids for ask in made.asks] == [("gap-2",)]
    assert made.unaffordable == ("gap-1",)


def test_nothing_open_asks_nothing() -> None:
    """No gaps, no calls."""
    assert plan([]) == RepairPlan((), (), ())


def test_ten_thousand_gaps_are_planned_within_the_calls() -> None:
    """A great outage is planned quickly, names every gap once and stays within the calls."""
    gaps = [gap(number, 50 * number / 10_000 + 0.1, f"r{number % 4000}") for number in range(10_000)]
    made = plan(gaps, rows_a_day=200, calls=100)
    named = [gap_id for ask in made.asks for gap_id in ask.gap_ids] + list(made.unaffordable)
    assert sorted(named) == sorted(one.gap_id for one in gaps)
    assert made.calls <= 100


small_cases = st.lists(st.tuples(st.integers(0, 28), st.sampled_from("abcd")), min_size=1, max_size=6)


@settings(max_examples=150, deadline=None)
@given(case=small_cases, rows_a_day=st.sampled_from([5.0, 20.0, 60.0, 400.0]))
def test_a_plan_takes_at_most_thirteen_tenths_of_the_best_there_is(
    case: list[tuple[int, str]], rows_a_day: float
) -> None:
    """Against every choice of searches and every way to cut the rest into windows, on small cases."""
    gaps = [gap(number, days_ago + 1.0, name) for number, (days_ago, name) in enumerate(case)]
    made = plan(gaps, rows_a_day=rows_a_day)
    assert sorted(gap_id for ask in made.asks for gap_id in ask.gap_ids) == sorted(one.gap_id for one in gaps)
    assert made.calls <= 1.3 * min(every_cost(gaps, rows_a_day))


def every_cost(gaps: list[OpenGap], rows_a_day: float) -> Iterator[int]:
    """Give the calls of every plan there is: any registrations searched for, the rest cut at any places."""
    names = sorted({one.registration_id for one in gaps})
    for searched in chain.from_iterable(combinations(names, count) for count in range(len(names) + 1)):
        left = sorted(one.told_at for one in gaps if one.registration_id not in searched)
        for cuts in range(2 ** max(0, len(left) - 1)):
            runs: list[list[datetime]] = [[]]
            for at, told_at in enumerate(left):
                runs[-1].append(told_at)
                if cuts >> at & 1:
                    runs.append([])
            yield len(searched) + sum(window_calls(run, rows_a_day) for run in runs if run)


def window_calls(run: list[datetime], rows_a_day: float) -> int:
    """Give the calls of a window from an hour before the first instant to a minute after the last."""
    rows = rows_a_day * ((run[-1] - run[0] + timedelta(minutes=61)) / timedelta(days=1))
    pages = -int(-max(rows, 1.0) // (0.8 * PAGE))
    return 1 if pages == 1 else 2 * pages - 1
