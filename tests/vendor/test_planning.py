"""What is asked today follows from what is covered and what is open, the dearest miss first."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from progress_pipeline.vendor.answers import Answers
from progress_pipeline.vendor.backfilling import plan_backfill
from progress_pipeline.vendor.ledger import CallLedger, Purpose
from progress_pipeline.vendor.planning import (
    Ask,
    KnownState,
    ProvenWindow,
    StartedDay,
    UnprovenWindow,
    plan_daily,
    rows_expected,
)
from progress_pipeline.vendor.pricing import Price
from progress_pipeline.vendor.windows import Window
from tests.vendor.conftest import NOON, MakeLedger

DAY = timedelta(days=1)
START = NOON - 100 * DAY
RULED_OUT = ["1", "2", "3"]


def _proven(first: float, last: float, rows: int = 100, ago: float = 1) -> ProvenWindow:
    """Make a window from so many days before noon to so many, asked so many days ago."""
    return ProvenWindow(Window(NOON - first * DAY, NOON - last * DAY), NOON - ago * DAY, rows, "daily")


def _open(ago: int, count: int = 1) -> StartedDay:
    return StartedDay((NOON - ago * DAY).date(), count, count)


def _answers(ledger: CallLedger, **known: Any) -> Answers:
    """Make answers of a vendor whose dates are known exactly, and of which more is known by name."""
    answers = Answers.load(ledger)
    for question, answer in ({"grain": "second", "zone": [0, 0], "count_is": "total"} | known).items():
        answers.learn(question, answer, "a test")
    return answers


def _plan(ledger: CallLedger, state: KnownState, answers: Answers | None = None, **others: Any) -> list[Ask]:
    chosen: dict[str, Any] = {
        "start_at": START,
        "now": NOON,
        "lookback": 2 * DAY,
        "page_size": 1000,
        "answers": answers or _answers(ledger),
    }
    return plan_daily(state, **chosen | others)


def test_at_first_all_is_asked_for(make_ledger: MakeLedger) -> None:
    """From the first day to now, in one span; before the first day there is nothing to do."""
    (ask,) = _plan(make_ledger(), KnownState())
    assert (ask.purpose, ask.window, ask.expected_rows) == (Purpose.DAILY, Window(START, NOON), None)
    assert _plan(make_ledger(), KnownState(), start_at=NOON) == []


def test_a_day_is_one_window_with_its_look_back(make_ledger: MakeLedger) -> None:
    """What appeared late comes with the same call."""
    (ask,) = _plan(make_ledger(), KnownState((_proven(100, 1),)))
    assert ask.window == Window(NOON - 3 * DAY, NOON)


def test_a_look_back_that_does_not_fit_in_an_answer_is_asked_by_itself(make_ledger: MakeLedger) -> None:
    """From the calls for asking again, after the new."""
    frontier, back = _plan(make_ledger(), KnownState((_proven(100, 1, rows=99_000),)))[:2]
    assert (frontier.purpose, frontier.window) == (Purpose.DAILY, Window(NOON - DAY, NOON))
    assert (back.purpose, back.window) == (Purpose.RECHECK, Window(NOON - 3 * DAY, NOON - DAY))


def test_what_fits_in_an_answer_goes_by_what_the_vendor_was_found_to_give(make_ledger: MakeLedger) -> None:
    """60 rows of three days fit in 1,000 that are asked for, and not in the 50 that come."""
    state, ledger = KnownState((_proven(100, 1, rows=20 * 99),)), make_ledger()
    (whole,) = [ask for ask in _plan(ledger, state) if "look back" in ask.reason]
    assert whole.window == Window(NOON - 3 * DAY, NOON)
    frontier, back = _plan(ledger, state, _answers(ledger, page_cap=50))[:2]
    assert (frontier.window, back.window) == (Window(NOON - DAY, NOON), Window(NOON - 3 * DAY, NOON - DAY))


def _look_back(ledger: CallLedger, state: KnownState, now: datetime) -> list[Window]:
    """Give the windows of a day's look back over twenty days."""
    plan = _plan(ledger, state, now=now, lookback=20 * DAY, page_size=10)
    return [ask.window for ask in plan if ask.reason == "a look back"]


@pytest.mark.parametrize("hole", [None, 5, 15], ids=["all can be proven", "but one day", "but another"])
def test_a_look_back_that_few_calls_stop_comes_round(make_ledger: MakeLedger, hole: int | None) -> None:
    """With calls for six of its twenty days in a run, no day waits longer than four runs, a hole in it or not."""
    ledger = make_ledger()
    proven = [_proven(100, 0, rows=2000, ago=0)]
    unproven: list[UnprovenWindow] = []
    asked = {NOON - ago * DAY: NOON for ago in range(1, 21)}
    for run in range(1, 13):
        now, begin = NOON + run * DAY, NOON - 20 * DAY
        windows = _look_back(ledger, KnownState(tuple(proven), tuple(unproven)), now)
        days = [window.start + part * DAY for window in windows for part in range(window.duration // DAY)]
        assert len(set(days)) == len(days) == 20
        for place, day in enumerate(days[:6]):
            asked[day] = now
            at, window = now + place * timedelta(minutes=5), Window(day, day + DAY)
            if hole is not None and day == begin + hole * DAY:
                unproven.append(UnprovenWindow(window, at))
            else:
                proven.append(ProvenWindow(window, at, 20, "recheck"))
        proven.append(ProvenWindow(Window(now - DAY, now), now, 20, "daily"))
        asked[now - DAY] = now
        assert all(now - at <= 4 * DAY for day, at in asked.items() if day >= now - 21 * DAY)


def test_a_look_back_that_was_asked_whole_is_asked_from_its_start(make_ledger: MakeLedger) -> None:
    """In one span, whatever order its parts were asked in."""
    state = KnownState((_proven(100, 1, rows=2000, ago=1), _proven(9, 2, rows=140, ago=0.9)))
    assert _look_back(make_ledger(), state, NOON) == [Window(NOON - 21 * DAY, NOON - DAY)]


@pytest.mark.parametrize(("newest_first", "order"), [(False, [60, 30, 1]), (True, [1, 30, 60])])
def test_what_is_not_covered_comes_by_the_chosen_end_first(
    make_ledger: MakeLedger, newest_first: bool, order: list[int]
) -> None:
    """Two gaps of the past and the new days."""
    state = KnownState((_proven(100, 60), _proven(50, 30), _proven(20, 1)))
    daily = [ask for ask in _plan(make_ledger(), state, newest_first=newest_first) if ask.purpose is Purpose.DAILY]
    back = 2 * DAY
    assert [ask.window.start + (back if ask.window.end == NOON else 0 * DAY) for ask in daily] == [
        NOON - ago * DAY for ago in order
    ]


def test_what_could_not_be_proved_comes_last_and_from_other_calls(make_ledger: MakeLedger) -> None:
    """A hole that attempts left behind does not keep the new days waiting."""
    hole = Window(NOON - 31 * DAY, NOON - 30 * DAY)
    state = KnownState((_proven(100, 31), _proven(30, 1)), unproven=(UnprovenWindow(hole, NOON),))
    plan = _plan(make_ledger(), state)
    assert plan[0].window.end == NOON
    assert (plan[-1].purpose, plan[-1].window) == (Purpose.RECHECK, hole)


def test_days_of_open_registrations_are_asked_again_while_the_filter_may_be_on_the_start(
    make_ledger: MakeLedger,
) -> None:
    """Each on its own day; a day without open registrations is not, and none are once the start is ruled out."""
    state = KnownState((_proven(100, 1, ago=2),), started_days=(_open(90), StartedDay((NOON - 40 * DAY).date(), 0, 5)))
    again = [ask for ask in _plan(make_ledger(), state) if ask.reason.startswith("open")]
    day = date(2025, 12, 1)
    assert [ask.window.start.date() for ask in again] == [day]
    assert again[0].window.duration == DAY
    ruled_out = _answers(make_ledger(), not_started=RULED_OUT)
    assert not [ask for ask in _plan(make_ledger(), state, ruled_out) if ask.reason.startswith("open")]


def test_while_nothing_is_known_of_the_vendor_it_is_asked_again_all_the_same(make_ledger: MakeLedger) -> None:
    """Without a probe everything is right, only dearer."""
    state = KnownState((_proven(100, 1, ago=2),), started_days=(_open(90),))
    plan = _plan(make_ledger(), state, Answers.load(make_ledger()))
    assert [ask for ask in plan if ask.reason.startswith("open")]


def test_asking_again_keeps_within_the_calls_set_aside(make_ledger: MakeLedger) -> None:
    """Ninety days that fill a page each: what is planned takes no more than a fifth of 50, though 33 are free."""
    ledger = make_ledger(daily_calls=50)
    state = KnownState(
        (_proven(100, 1, rows=80_000, ago=40),), started_days=tuple(_open(ago, 800) for ago in range(2, 95))
    )
    again = [ask for ask in _plan(ledger, state) if ask.reason.startswith("open")]
    assert 1 <= sum(max(1.0, (ask.expected_rows or 0) / 800) for ask in again) <= 10
    assert ledger.left(Purpose.RECHECK) == 33


def test_a_long_history_is_not_asked_whole_however_many_calls_there_are(make_ledger: MakeLedger) -> None:
    """A hundred days that fill a page each: at most a third of them in a day, and the oldest within 13 days."""
    answers, begin = _answers(make_ledger()), NOON - NOON.hour * timedelta(hours=1)
    proven = [ProvenWindow(Window(begin - 100 * DAY, begin), begin, 1_000_000, "daily")]
    asked = {begin - ago * DAY: begin for ago in range(1, 101)}
    for run in range(1, 31):
        now = begin + run * DAY
        days = tuple(StartedDay(day.date(), 6_000, 10_000) for day in asked)
        state = KnownState(tuple(proven), started_days=days)
        plan = plan_daily(state, start_at=START, now=now, lookback=2 * DAY, page_size=10_000, answers=answers)
        again = [ask.window for ask in plan if ask.purpose is Purpose.RECHECK]
        assert sum(window.duration / DAY for window in again) <= 35
        proven += [ProvenWindow(window, now, round(window.duration / DAY * 10_000), "recheck") for window in again]
        proven.append(ProvenWindow(Window(now - DAY, now), now, 10_000, "daily"))
        asked |= {day: now for day in asked for window in again if window.start <= day < window.end}
        asked[now - DAY] = now
        for day, at in asked.items():
            assert now - at <= max(DAY, (now - day) / 8) + DAY


def test_a_look_back_that_takes_more_than_its_part_leaves_the_promise_to_open_records_alone(
    make_ledger: MakeLedger,
) -> None:
    """It comes last and may stop; a day that it would ask is asked for its open registrations all the same."""
    state = KnownState(
        (_proven(100, 1, rows=99_000, ago=2),), started_days=tuple(_open(ago, 1000) for ago in range(2, 90))
    )
    reasons = [ask.reason for ask in _plan(make_ledger(), state, lookback=60 * DAY, page_size=1000)]
    assert reasons[0] == "not covered yet"
    assert reasons[-1] == "a look back"
    assert "open registrations were started in it" in reasons[1:-1]
    within = [ask.reason for ask in _plan(make_ledger(), state, lookback=2 * DAY, page_size=1000)]
    assert within[:2] == ["not covered yet", "a look back"]


@pytest.mark.parametrize(
    ("known", "calls"),
    [
        ({}, 10),
        ({"count_is": "unsure"}, 11),
        ({"page_cap": 50}, 20),
        ({"count_is": "unsure", "start_unit": "ignored"}, 21),
        ({"zone": [-43200, 43200]}, 20),
    ],
    ids=["a kind vendor", "no count", "a cap", "from both ends", "a zone that is not known"],
)
def test_what_a_day_costs_follows_from_what_is_known_of_the_vendor(
    make_ledger: MakeLedger, known: dict[str, Any], calls: float
) -> None:
    """800 rows in pages of 100 that are filled to four fifths."""
    price = Price.of(_answers(make_ledger(), **known), 100)
    assert price.calls(Window(NOON - DAY, NOON), 800) == pytest.approx(calls, rel=0.001)


def test_what_was_covered_long_ago_is_audited(make_ledger: MakeLedger) -> None:
    """Whatever is known of the vendor: what was found out may be wrong."""
    state = KnownState((_proven(100, 50, ago=49), _proven(50, 1, ago=1)))
    audits = [
        ask
        for ask in _plan(make_ledger(), state, _answers(make_ledger(), not_started=RULED_OUT))
        if ask.reason == "audit"
    ]
    assert audits
    assert all(ask.window.start < NOON - 50 * DAY for ask in audits)


def test_a_backfill_says_what_it_will_take() -> None:
    """By the density of what is known: 300 days of 1,000 rows at 1,000 a call, 228 calls a day for a backfill."""
    state = KnownState((_proven(100, 1, rows=99_000),))
    estimate = plan_backfill(Window(NOON - 400 * DAY, NOON), state, now=NOON, page_size=1000, calls_a_day=500)
    assert [ask.window for ask in estimate.asks] == [
        Window(NOON - 400 * DAY, NOON - 100 * DAY),
        Window(NOON - DAY, NOON),
    ]
    assert {ask.purpose for ask in estimate.asks} == {Purpose.BACKFILL}
    assert estimate.calls is not None
    assert 301 <= estimate.calls <= 1.4 * 301 + 20
    assert estimate.days == 2
    assert estimate.ends_on == (NOON + DAY).date()


@pytest.mark.parametrize(
    ("span", "state", "calls"),
    [
        (Window(NOON - 9 * DAY, NOON - 2 * DAY), KnownState((_proven(100, 1),)), 0),
        (Window(NOON + DAY, NOON + 2 * DAY), KnownState(), 0),
        (Window(NOON - 9 * DAY, NOON), KnownState(), None),
    ],
    ids=["covered already", "of the future", "nothing known yet"],
)
def test_a_backfill_of_nothing_takes_nothing_and_one_of_the_unknown_says_so(
    span: Window, state: KnownState, calls: int | None
) -> None:
    """No number is made up."""
    estimate = plan_backfill(span, state, now=NOON, page_size=1000, calls_a_day=500)
    assert (estimate.calls, estimate.days) == (calls, calls)
    assert bool(estimate.asks) == (calls is None)


def test_before_anything_is_proven_a_backfill_goes_by_what_the_vendor_told() -> None:
    """100,000 rows at 1,000 a call, 228 calls a day."""
    span = Window(NOON - 90 * DAY, NOON)
    estimate = plan_backfill(span, KnownState(), now=NOON, page_size=1000, calls_a_day=500, told=100_000)
    assert estimate.calls == 142
    assert (estimate.days, estimate.ends_on) == (1, NOON.date())


def test_a_backfills_newest_end_can_come_first() -> None:
    """By the setting."""
    state = KnownState((_proven(60, 30),))
    for newest_first in (False, True):
        estimate = plan_backfill(
            Window(NOON - 90 * DAY, NOON), state, now=NOON, page_size=10, calls_a_day=9, newest_first=newest_first
        )
        assert (estimate.asks[0].window.end == NOON) is newest_first


def test_rows_of_a_span_are_those_of_the_windows_in_it() -> None:
    """What lies elsewhere does not matter."""
    assert rows_expected([_proven(100, 50, 50), _proven(50, 0, 100)], Window(NOON - 60 * DAY, NOON - 40 * DAY)) == 30
