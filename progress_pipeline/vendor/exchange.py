"""One question and its answer, as the rest of the room sees them; how they travel is the subject of `client`."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from progress_pipeline.vendor.records import Page
from progress_pipeline.vendor.windows import Window

MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Question:
    """What one call asks.

    Attributes:
        window: The span, as it is written into the request: startDate and endDate.
        number: How many records at most.
        start: From which on, in the vendor's unit.
        search: The search term.
        sort: The field to sort by; None leaves it out.
        order: ASC or DESC.
    """

    window: Window
    number: int
    start: int = 0
    search: str = ""
    sort: str | None = None
    order: str = "ASC"

    def fields(self) -> dict[str, object]:
        """Give the request's fields, less the token."""
        fields: dict[str, object] = {
            "start": self.start,
            "number": self.number,
            "search": self.search,
            "completed": False,
            "startDate": date_text(self.window.start),
            "endDate": date_text(self.window.end, is_end=True),
            "order": self.order,
        }
        return fields if self.sort is None else {**fields, "sort": self.sort}


@dataclass(frozen=True)
class Answer:
    """What one call brought.

    Attributes:
        question: What was asked.
        page: The records.
        call_id: The call's number in the ledger.
        counted_at: When it was counted, before it left.
        observed_at: When it was there.
    """

    question: Question
    page: Page
    call_id: int
    counted_at: datetime
    observed_at: datetime


def date_text(instant: datetime, *, is_end: bool = False) -> str:
    """Write an instant as the vendor's sample does, to the millisecond; an end is rounded up."""
    rest = timedelta(microseconds=instant.microsecond % 1000)
    if rest:
        instant += MILLISECOND - rest if is_end else -rest
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{instant.microsecond // 1000:03d}Z"
