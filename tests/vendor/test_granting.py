"""Which calls the ledger grants: by the vendor's day, by what is kept for each purpose, and after a refusal."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from progress_pipeline.errors import CallsUsedUpError
from progress_pipeline.vendor.ledger import LONGEST_CALL, CallLedger, Purpose
from tests.vendor.conftest import NOON, MakeLedger
from tests.vendor.counted import ANSWERED, WINDOW, Moving, calls_until_held_back, make_call

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("count_day", "begins", "again_at"),
    [
        ("UTC", "2026-03-01T12:00Z", "2026-03-02T00:00Z"),
        ("America/Denver", "2026-01-15T06:00Z", "2026-01-15T07:00Z"),
        ("Europe/Zurich", "2026-10-24T22:05Z", "2026-10-25T23:00Z"),
        ("Europe/Zurich", "2026-03-28T23:05Z", "2026-03-29T22:00Z"),
        ("rolling", "2026-03-01T12:00Z", "2026-03-02T12:00Z"),
        ("rolling", "2026-10-25T00:30Z", "2026-10-26T01:30Z"),
    ],
    ids=["UTC", "a zone", "a day of 25 hours", "a day of 23 hours", "rolling", "rolling, clocks set back"],
)
def test_calls_are_granted_again_when_the_day_is_over_and_not_before(
    make_ledger: MakeLedger, count_day: str, begins: str, again_at: str
) -> None:
    """To the second, in the way in which the day is said to be counted."""
    clock = Moving(datetime.fromisoformat(begins))
    ledger = make_ledger(daily_calls=3, count_day=count_day, clock=clock)
    assert calls_until_held_back(ledger) == 3
    clock.now = datetime.fromisoformat(again_at) - timedelta(seconds=1)
    assert ledger.left() == 0
    clock.now = datetime.fromisoformat(again_at)
    assert ledger.left() == 3


def test_a_call_on_its_way_at_midnight_counts_for_both_days(make_ledger: MakeLedger) -> None:
    """Nobody knows on which side of midnight the vendor counts it."""
    clock = Moving(datetime(2026, 3, 1, 23, 59, 30, tzinfo=UTC))
    ledger = make_ledger(daily_calls=10, count_day="UTC", clock=clock)
    number = ledger.reserve(Purpose.DAILY, WINDOW, {})
    clock.now += timedelta(minutes=1)
    ledger.finish(number, ANSWERED)
    assert ledger.used() == 1
    clock.now += DAY
    assert ledger.used() == 0


def test_a_call_that_never_ended_is_held_for_as_long_as_it_may_have_taken(make_ledger: MakeLedger) -> None:
    """Ten minutes more than a day, under the rolling count."""
    clock = Moving(NOON)
    ledger = make_ledger(clock=clock)
    ledger.reserve(Purpose.DAILY, WINDOW, {})
    clock.now = NOON + DAY + LONGEST_CALL - timedelta(seconds=1)
    assert ledger.used() == 1
    clock.now += timedelta(seconds=1)
    assert ledger.used() == 0


def test_a_clock_that_was_set_back_grants_nothing_anew(make_ledger: MakeLedger) -> None:
    """Calls of the future count too."""
    clock = Moving(NOON)
    ledger = make_ledger(daily_calls=3, clock=clock)
    assert calls_until_held_back(ledger) == 3
    clock.now = NOON - timedelta(hours=5)
    assert ledger.left() == 0


ZONES = [ZoneInfo(name) for name in ("UTC", "America/Denver", "Europe/Zurich", "Pacific/Kiritimati")]


GRANT = 3


def _by_day(counted: list[datetime], zone: ZoneInfo) -> int:
    days = [at.astimezone(zone).date() for at in counted]
    return max(map(days.count, days), default=0)


def _by_24_hours(counted: list[datetime]) -> int:
    return max((sum(begin <= at < begin + DAY for at in counted) for begin in counted), default=0)


@settings(max_examples=15, deadline=None)
@given(
    count_day=st.sampled_from(["rolling", "UTC", "America/Denver", "Europe/Zurich"]),
    begins=st.sampled_from(["2026-01-15T12:00Z", "2026-10-24T20:00Z", "2026-10-31T20:00Z", "2026-03-28T20:00Z"]),
    steps=st.lists(st.tuples(st.integers(0, 8 * 60), st.integers(0, 119), st.floats(0, 1)), min_size=8, max_size=16),
)
def test_no_day_of_the_vendors_has_more_calls_than_it_grants(
    count_day: str, begins: str, steps: list[tuple[int, int, float]]
) -> None:
    """Wherever between leaving and ending the vendor counts a call; under `rolling` in any zone and any 24 hours."""
    clock = Moving(datetime.fromisoformat(begins))
    counted: list[datetime] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        CallLedger(Path(folder) / "c.sqlite", daily_calls=GRANT, count_day=count_day, clock=clock) as ledger,
    ):
        for wait, lasts, share in steps:
            clock.now += timedelta(minutes=wait)
            try:
                number = ledger.reserve(Purpose.DAILY, None, {})
            except CallsUsedUpError:
                continue
            counted.append(clock.now + timedelta(seconds=lasts) * share)
            clock.now += timedelta(seconds=lasts)
            ledger.finish(number, ANSWERED)
    if count_day == "rolling":
        assert max(_by_24_hours(counted), *(_by_day(counted, zone) for zone in ZONES)) <= GRANT
    else:
        assert _by_day(counted, ZoneInfo(count_day)) <= GRANT


def test_what_is_kept_for_a_purpose_is_there_for_it_when_others_have_used_theirs(make_ledger: MakeLedger) -> None:
    """A backfill that takes all it may leaves each other purpose its reserve."""
    ledger = make_ledger(daily_calls=50)
    assert calls_until_held_back(ledger, Purpose.BACKFILL) == 23
    with pytest.raises(CallsUsedUpError, match=r"23 of 50 of the day .* the other 27 are kept for other purposes"):
        make_call(ledger, Purpose.BACKFILL)
    reserved = [Purpose.REPAIR, Purpose.PROBE, Purpose.MANUAL, Purpose.RECHECK, Purpose.DAILY]
    assert [calls_until_held_back(ledger, purpose) for purpose in reserved] == [5, 1, 1, 10, 10]


@pytest.mark.parametrize(
    ("count_day", "early", "late"),
    [("UTC", 228, 500), ("rolling", 228, 400)],
    ids=["all of it, where the day ends", "all but the daily pull's, where it never ends"],
)
def test_late_in_the_day_what_is_unused_is_lent(make_ledger: MakeLedger, count_day: str, early: int, late: int) -> None:
    """From 18:00 on, a backfill may use what nobody else did."""
    clock = Moving(NOON)
    ledger = make_ledger(count_day=count_day, clock=clock)
    assert ledger.left(Purpose.BACKFILL) == early
    clock.now = NOON + 6 * HOUR
    assert ledger.left(Purpose.BACKFILL) == late


@pytest.mark.parametrize(
    ("count_day", "retry_after", "until"),
    [
        ("UTC", None, NOON + 12 * HOUR),
        ("rolling", None, NOON + 12 * HOUR),
        ("UTC", HOUR, NOON + HOUR),
        ("rolling", 30 * HOUR, NOON + DAY),
        ("UTC", 30 * HOUR, NOON + 12 * HOUR),
    ],
)
def test_a_refusal_in_spite_of_the_ledger_is_believed_for_a_day_at_most(
    make_ledger: MakeLedger, count_day: str, retry_after: timedelta | None, until: datetime
) -> None:
    """No call leaves until it is over; the next process knows; then calls leave again."""
    clock = Moving(NOON)
    assert make_ledger(count_day=count_day, clock=clock).refuse("HTTP 429", retry_after) == until
    again = make_ledger(count_day=count_day, clock=clock)
    clock.now = until - timedelta(seconds=1)
    assert again.left() == 0
    with pytest.raises(CallsUsedUpError, match="is the token used elsewhere"):
        make_call(again)
    clock.now = until
    assert make_call(again) == 1
