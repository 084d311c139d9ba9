"""Rules of the day's calls: which calls count towards the day that holds an instant, and who may use what is left.

A call is known by two instants: when it was counted (before it left) and until when the vendor may have counted it
(its end, or some minutes later if it never ended). The vendor counts it somewhere between the two, and its day is not
known. So:

- `rolling` counts every call of any 24 hours. A vendor's local day has 25 hours when clocks are set back, so in the
  25 hours after any zone of the world does that, 25 hours count.
- a zone counts from that zone's midnight, and a call that may have arrived after midnight counts for the new day too.

Reserves: each purpose has a share of the day that the others leave alone. Late in the day, what is unused is lent;
under `rolling` no day ends, so there the daily pull's own share is never lent. Nothing here knows SQLite or the
network.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

ROLLING = "rolling"
DAY = timedelta(days=1)
LONG_DAY = timedelta(hours=25)
MIDNIGHT_DOUBT = timedelta(minutes=2)
LATE_HOUR = 18


class Purpose(StrEnum):
    """What a call is for."""

    DAILY = "daily"
    RECHECK = "recheck"
    REPAIR = "repair"
    BACKFILL = "backfill"
    PROBE = "probe"
    MANUAL = "manual"


RESERVED_SHARES: Mapping[Purpose, float] = {
    Purpose.DAILY: 0.20,
    Purpose.RECHECK: 0.20,
    Purpose.REPAIR: 0.10,
    Purpose.PROBE: 0.024,
    Purpose.MANUAL: 0.02,
}
"""The share of the day's calls that is kept for a purpose: what a missed call costs decides. A backfill has all the
time."""


@dataclass(frozen=True)
class CountDay:
    """Which calls count towards the day that holds an instant.

    Attributes:
        since: Calls that the vendor may have counted at this instant or later count.
        until: Calls from this instant on do not; none are expected, unless a clock was set back.
        ends_at: When the day is over and the count begins anew; None where it never does.
    """

    since: datetime
    until: datetime
    ends_at: datetime | None


def count_day_at(count_day: str, now: datetime) -> CountDay:
    """Give the count day that holds an instant.

    Args:
        count_day: `rolling`, or a time zone.
        now: The instant, aware.
    """
    if count_day == ROLLING:
        return CountDay(now - DAY, now + DAY, None)
    zone = ZoneInfo(count_day)
    local = now.astimezone(zone)
    begins = datetime(local.year, local.month, local.day, tzinfo=zone).astimezone(UTC)
    after = local.date() + timedelta(days=1)
    ends = datetime(after.year, after.month, after.day, tzinfo=zone).astimezone(UTC)
    return CountDay(begins - MIDNIGHT_DOUBT, ends, ends)


def is_late(count_day: str, now: datetime) -> bool:
    """Say whether the day is so far gone that unused reserves are lent."""
    zone = UTC if count_day == ROLLING else ZoneInfo(count_day)
    return now.astimezone(zone).hour >= LATE_HOUR


@lru_cache(maxsize=8)
def clocks_were_set_back(hour: datetime) -> bool:
    """Say whether any zone of the world set its clocks back in the 25 hours before the end of an hour."""
    end = hour + timedelta(hours=1)
    begin = hour - LONG_DAY
    for name in available_timezones():
        zone = ZoneInfo(name)
        before, after = begin.astimezone(zone).utcoffset(), end.astimezone(zone).utcoffset()
        if before is not None and after is not None and after < before:
            return True
    return False


def reserves(daily_calls: int, needed: Mapping[Purpose, int] | None = None) -> dict[Purpose, int]:
    """Give the calls that are kept for each purpose.

    Args:
        daily_calls: Calls of a day.
        needed: What a purpose is known to need at most, where it is known; more is not kept.
    """
    kept = {purpose: int(daily_calls * share) for purpose, share in RESERVED_SHARES.items()}
    for purpose, calls in (needed or {}).items():
        if purpose in kept:
            kept[purpose] = min(kept[purpose], calls)
    return kept


def left_for(
    purpose: Purpose, left: int, used: Mapping[Purpose, int], kept: Mapping[Purpose, int], *, lends: frozenset[Purpose]
) -> int:
    """Give the calls that a purpose may still use.

    Args:
        purpose: The purpose.
        left: Calls that the day has left.
        used: Calls of the day by purpose.
        kept: Reserves by purpose.
        lends: Purposes whose reserve is lent.
    """
    held = sum(
        max(0, calls - used.get(other, 0)) for other, calls in kept.items() if other not in lends and other != purpose
    )
    return max(0, left - held)
