"""What is told of one transaction by either witness, where all else agrees; and the gaps that come of it."""

from datetime import datetime
from typing import Any

from tests.models.play import DAY, FIRST_DAY, HOUR, Raw, record

PULL = [FIRST_DAY + day * DAY + 5 * HOUR for day in range(12)]
BEGUN = FIRST_DAY + HOUR
TOLD = FIRST_DAY + DAY + 12 * HOUR


def other(number: int) -> dict[str, Any]:
    """Make the record of a bystander."""
    return record(transaction_id=number, registration=f"r-{number}", date_started=f"{BEGUN:%Y-%m-%dT%H:%M:%S}")


def mine(progress: int = 50, **values: Any) -> dict[str, Any]:
    """Make a record of the transaction that a test is about."""
    return record(**{"transaction_id": 77, "registration": "r-77", "progress": progress, **values})


def completed(at: datetime) -> dict[str, Any]:
    """Make it a completion."""
    return mine(100, date_completed=f"{at:%Y-%m-%dT%H:%M:%S}", completion_code="1b50007d-5d2f-4832-a5f5-646690045e2a")


def gaps(raw: Raw, columns: str = "kind, status, cause, first_seen_at, opened_at, closed_at") -> list[tuple[Any, ...]]:
    """Give columns of all gaps."""
    raw.make("audit.gaps", "audit.reconciliation")
    return raw.table("audit.gaps", columns, "first_seen_at, kind")
