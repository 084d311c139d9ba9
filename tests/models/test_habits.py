"""`intermediate.int_vendor_habits_found`: the date that the vendor filters on, as far as its answers show."""

from datetime import datetime
from typing import Any

import pytest

from tests.models.play import DAY, FIRST_DAY, HOUR, Raw, record

HABITS = "intermediate.int_vendor_habits_found"
ASKED = FIRST_DAY + 30 * DAY
"""The day that a call asks for."""


def told(number: int, started: datetime, completed: datetime | None = None) -> dict[str, Any]:
    """Make a record by its two dates."""
    return record(
        transaction_id=number,
        registration=f"r-{number}",
        date_started=f"{started:%Y-%m-%dT%H:%M:%S}",
        date_completed=f"{completed:%Y-%m-%dT%H:%M:%S}" if completed else "",
    )


def test_complete_records_found_by_completion_and_open_ones_by_start_leave_the_filter_unknown(raw: Raw) -> None:
    """One that takes the completion, or else the start, or either, shows just this; it is not the last change."""
    raw.begin_load(ASKED + DAY)
    long_ago = [told(number, FIRST_DAY + number * HOUR, ASKED + number * HOUR) for number in range(1, 21)]
    just_begun = [told(number, ASKED + (number - 100) * HOUR) for number in range(101, 121)]
    raw.call("daily", ASKED, ASKED + DAY, ASKED + DAY, [*long_ago, *just_begun])
    raw.make(HABITS)
    assert raw.table(HABITS, "filters_on") == [(None,)]


@pytest.mark.parametrize("started", [FIRST_DAY, ASKED + 6 * DAY], ids=["long before", "long after"])
def test_an_open_record_far_from_the_span_shows_that_the_last_change_is_filtered_on(
    raw: Raw, started: datetime
) -> None:
    """By none of its own dates could it have been found."""
    raw.begin_load(ASKED + DAY)
    raw.call("daily", ASKED, ASKED + DAY, ASKED + DAY, [told(1, started)])
    raw.make(HABITS)
    assert raw.table(HABITS, "filters_on") == [("last_change",)]
