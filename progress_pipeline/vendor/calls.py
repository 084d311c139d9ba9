"""One call as the ledger has it: its columns, how it ended, and how SQLite's numbers become instants and back."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Call:
    """One call as the ledger has it; the fields are those of `raw.api_calls`. Instants are aware."""

    call_id: int
    purpose: str
    window_start: datetime | None
    window_end: datetime | None
    request: str
    counted_at: datetime
    finished_at: datetime | None
    outcome: str
    http_status: int | None
    row_count: int | None
    vendor_count: int | None
    byte_count: int | None
    sha256: str | None
    duration_seconds: float | None
    error: str | None


@dataclass(frozen=True)
class Finish:
    """How a call ended.

    Attributes:
        outcome: answered, failed or refused.
        http_status: The answer's status.
        row_count: Records in it.
        vendor_count: The vendor's `count`.
        byte_count: Bytes of its body.
        sha256: SHA-256 of the body as kept, in hex.
        duration_seconds: From sending to the last byte.
        error: What went wrong; never a token.
    """

    outcome: str
    http_status: int | None = None
    row_count: int | None = None
    vendor_count: int | None = None
    byte_count: int | None = None
    sha256: str | None = None
    duration_seconds: float | None = None
    error: str | None = None


def read_call(row: tuple[Any, ...]) -> Call:
    """Read a row of the ledger, its columns in the order of `Call`."""
    number, purpose, start, end, request, counted, finished, *rest = row
    counted_at = from_us(counted)
    if counted_at is None:
        raise RuntimeError("a call without counted_at")
    return Call(number, purpose, from_us(start), from_us(end), request, counted_at, from_us(finished), *rest)


def to_us(instant: datetime) -> int:
    """Give an instant in microseconds since 1970."""
    return (instant - EPOCH) // MICROSECOND


def from_us(microseconds: int | None) -> datetime | None:
    """Give the instant of microseconds since 1970, None of none."""
    return None if microseconds is None else EPOCH + microseconds * MICROSECOND
