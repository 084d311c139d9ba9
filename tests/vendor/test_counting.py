"""Which calls count towards a day, and who may use what is left, as rules without a file."""

from datetime import UTC, datetime, timedelta

import pytest

from progress_pipeline.vendor.counting import (
    MIDNIGHT_DOUBT,
    ROLLING,
    Purpose,
    clocks_were_set_back,
    count_day_at,
    is_late,
    left_for,
    reserves,
)

NOTHING_LENT: frozenset[Purpose] = frozenset()


@pytest.mark.parametrize(
    ("count_day", "now", "begins", "hours"),
    [
        ("UTC", "2026-03-01T12:00Z", "2026-03-01T00:00Z", 24),
        ("UTC", "2026-03-01T00:00Z", "2026-03-01T00:00Z", 24),
        ("America/Denver", "2026-01-15T06:59Z", "2026-01-14T07:00Z", 24),
        ("America/Denver", "2026-01-15T07:00Z", "2026-01-15T07:00Z", 24),
        ("Pacific/Kiritimati", "2026-01-15T10:00Z", "2026-01-15T10:00Z", 24),
        ("Europe/Zurich", "2026-03-29T12:00Z", "2026-03-28T23:00Z", 23),
        ("Europe/Zurich", "2026-10-25T12:00Z", "2026-10-24T22:00Z", 25),
        ("America/Denver", "2026-11-01T12:00Z", "2026-11-01T06:00Z", 25),
        ("America/Asuncion", "2023-10-01T12:00Z", "2023-10-01T04:00Z", 23),
    ],
)
def test_a_zones_day_is_from_its_midnight_to_its_next(count_day: str, now: str, begins: str, hours: int) -> None:
    """It has 23 or 25 hours when clocks change, at midnight too; calls on their way at midnight count for it."""
    day = count_day_at(count_day, datetime.fromisoformat(now))
    assert day.since == datetime.fromisoformat(begins) - MIDNIGHT_DOUBT
    assert day.ends_at == datetime.fromisoformat(begins) + timedelta(hours=hours)


def test_a_rolling_day_never_ends() -> None:
    """It is the 24 hours before each instant."""
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    day = count_day_at(ROLLING, now)
    assert day.since == now - timedelta(hours=24)
    assert day.ends_at is None


@pytest.mark.parametrize(
    ("hour", "were"),
    [
        ("2026-10-25T01:00Z", True),
        ("2026-10-26T01:00Z", True),
        ("2026-11-01T09:00Z", True),
        ("2026-01-15T09:00Z", False),
        ("2026-03-29T09:00Z", False),
    ],
    ids=["Europe", "24 hours later", "North America", "winter", "set forward"],
)
def test_it_is_known_when_any_zone_set_its_clocks_back(hour: str, were: bool) -> None:
    """A local day then has 25 hours, so for so long 25 hours count."""
    assert clocks_were_set_back(datetime.fromisoformat(hour)) is were


@pytest.mark.parametrize(
    ("count_day", "now", "late"),
    [
        ("UTC", "2026-03-01T17:59Z", False),
        ("UTC", "2026-03-01T18:00Z", True),
        ("America/Denver", "2026-01-15T18:00Z", False),
        ("America/Denver", "2026-01-16T01:00Z", True),
    ],
)
def test_a_day_is_late_by_its_own_zone(count_day: str, now: str, late: bool) -> None:
    """What is unused is lent in the last six hours of the day that the vendor counts."""
    assert is_late(count_day, datetime.fromisoformat(now)) is late


def test_reserves_of_500_calls_leave_most_of_the_day_free() -> None:
    """Daily 100, asking again 100, repair 50, probe 12, manual 10: a backfill has 228."""
    kept = reserves(500)
    assert [kept[purpose] for purpose in list(Purpose) if purpose in kept] == [100, 100, 50, 12, 10]
    assert left_for(Purpose.BACKFILL, 500, {}, kept, lends=NOTHING_LENT) == 228
    assert left_for(Purpose.DAILY, 500, {}, kept, lends=NOTHING_LENT) == 328


def test_a_purpose_that_needs_less_keeps_less() -> None:
    """What the plan is known to need at most bounds what is kept for it, and never raises it."""
    assert reserves(500, {Purpose.RECHECK: 7})[Purpose.RECHECK] == 7
    assert reserves(500, {Purpose.RECHECK: 700})[Purpose.RECHECK] == 100


def test_what_a_purpose_used_of_its_own_reserve_is_not_kept_twice() -> None:
    """Of 100 calls kept for the daily pull, 60 are used, so 40 are still held against others."""
    kept = {Purpose.DAILY: 100}
    assert left_for(Purpose.BACKFILL, 400, {Purpose.DAILY: 60}, kept, lends=NOTHING_LENT) == 360
    assert left_for(Purpose.BACKFILL, 400, {Purpose.DAILY: 160}, kept, lends=NOTHING_LENT) == 400


def test_a_lent_reserve_holds_nobody_back() -> None:
    """Late in the day, all that is left is anybody's."""
    assert left_for(Purpose.BACKFILL, 500, {}, reserves(500), lends=frozenset(Purpose)) == 500
