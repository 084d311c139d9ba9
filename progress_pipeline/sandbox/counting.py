"""The vendor's count of calls: how many a day has had, and when the next may come."""

from bisect import bisect_left
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from progress_pipeline.sandbox.config import SandboxConfig
from progress_pipeline.sandbox.instants import DAY, SECOND, from_us, to_us

ROLLING = "rolling"


class CallCount:
    """Counts calls by the day that the vendor counts in."""

    def __init__(self) -> None:
        self._counted: list[int] = []  # ascending, since the clock never goes back

    @property
    def total(self) -> int:
        """All calls that were ever counted."""
        return len(self._counted)

    def used(self, config: SandboxConfig, now: int) -> int:
        """Give the calls of the count day that holds an instant."""
        return len(self._counted) - bisect_left(self._counted, _begin(config.count_day, now))

    def take(self, config: SandboxConfig, now: int) -> int | None:
        """Count a call, or give the seconds until one is free if the day has had all of its calls."""
        if self.used(config, now) >= config.daily_calls:
            free_at = self._oldest_of_day(config, now) + DAY
            if config.count_day != ROLLING:
                free_at = to_us(_midnight(config.count_day, now, days_later=1))
            return max(1, -(-(free_at - now) // SECOND))
        self._counted.append(now)
        return None

    def _oldest_of_day(self, config: SandboxConfig, now: int) -> int:
        used = self.used(config, now)
        return self._counted[-used] if used else now


def _begin(count_day: str, now: int) -> int:
    """Give the first instant of the count day that holds an instant."""
    return now - DAY + 1 if count_day == ROLLING else to_us(_midnight(count_day, now))


def _midnight(count_day: str, now: int, *, days_later: int = 0) -> datetime:
    zone = ZoneInfo(count_day)
    day = from_us(now).astimezone(zone).date() + timedelta(days=days_later)
    return datetime(day.year, day.month, day.day, tzinfo=zone)
