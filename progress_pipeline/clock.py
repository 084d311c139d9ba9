"""What time it is, as a value that can be handed around.

Every instant that ends up in a table or decides something comes from a `Clock`, so that a run can be played as of
another instant and a test can say what time it is. Nothing here measures durations.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from progress_pipeline.errors import UsageError

FIRST_YEAR, LAST_YEAR = 1970, 2199
"""Years beyond are slips of the pen; near the calendar's ends, no day can be added for what a vendor cuts off."""

Clock: TypeAlias = Callable[[], datetime]
"""Gives the present instant, aware and in UTC."""


def system_clock() -> datetime:
    """Give the machine's time, in UTC."""
    return datetime.now(UTC)


def frozen_clock(instant: datetime) -> Clock:
    """Make a clock that stands still at an instant.

    Args:
        instant: The instant; one without a zone is taken as UTC.
    """
    at = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    return lambda: at


def is_zone(name: str) -> bool:
    """Tell whether the time zone database knows a name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # the last: a folder of zones, such as Europe
        return False
    return True


def is_reckonable(instant: datetime) -> bool:
    """Tell whether an instant lies in the years that can be reckoned with."""
    return FIRST_YEAR <= instant.year <= LAST_YEAR


def parse_instant(text: str) -> datetime:
    """Read an instant that a person wrote.

    Raises:
        UsageError: It is no ISO 8601 date or instant, or beyond the years that can be reckoned with.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no instant; write it like 2026-11-23 or 2026-11-23T05:00:00Z.") from error
    if not is_reckonable(instant):
        raise UsageError(f"{text!r} is not between the years {FIRST_YEAR} and {LAST_YEAR}; correct the year.")
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
