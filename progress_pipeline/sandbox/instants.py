"""Instants as whole microseconds since 1970, which arrays can hold, and back.

Also how the API reads the dates of a request. How it writes those of a record is `rendering`'s subject.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
NEVER = 2**62
"""Later than any instant."""

SECOND = 1_000_000
DAY = 86_400 * SECOND


def to_us(instant: datetime) -> int:
    """Give an aware instant in microseconds since 1970."""
    return (instant - EPOCH) // MICROSECOND


def from_us(microseconds: int) -> datetime:
    """Give the aware UTC instant of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=microseconds)


def span_us(span: timedelta) -> int:
    """Give a span in microseconds."""
    return span // MICROSECOND


def read_date(text: str, zone: str) -> int:
    """Read a request's date as this vendor does, in microseconds since 1970.

    Args:
        text: The date, ISO 8601.
        zone: In UTC an offset in the text is honoured; in any other the digits alone are read, as that zone's time.

    Raises:
        ValueError: The text is no date.
    """
    instant = datetime.fromisoformat(text)
    if zone != "UTC":
        instant = instant.replace(tzinfo=ZoneInfo(zone))
    elif instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return to_us(instant)
