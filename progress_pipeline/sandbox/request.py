"""Reading a request of the API: its nine fields, their types and defaults."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from progress_pipeline.sandbox.config import SandboxConfig
from progress_pipeline.sandbox.instants import read_date
from progress_pipeline.sandbox.listing import SORTABLE, Question

BOOLEANS = {True: True, False: False, "true": True, "false": False, "": False, None: False}
"""What `completed` may be: customers send it as a boolean and as text."""

DEFAULT_SORT = "firstName"
DAY = 86_400_000_000
"""In microseconds."""


class BadRequestError(Exception):
    """The request cannot be answered; its text is what the vendor says."""


@dataclass(frozen=True)
class Request:
    """A request that can be answered."""

    question: Question
    offset: int
    number: int


def read_request(asked: Mapping[str, Any], config: SandboxConfig, now: int) -> Request:
    """Read a request's fields, the token aside; `now` is the present, in microseconds.

    Raises:
        BadRequestError: A field cannot be read, or asks for more than is taken.
    """
    number = _whole(asked, "number", config.default_number)
    if config.most_records is not None and number > config.most_records:
        raise BadRequestError(f"number is {config.most_records} at most")
    if config.page_cap is not None:
        number = min(number, config.page_cap)
    start = _whole(asked, "start", 0)
    completed = asked.get("completed", False)
    if not isinstance(completed, bool | str | None) or completed not in BOOLEANS:
        raise BadRequestError("completed is true or false")
    search = _text(asked, "search", "")
    order = _text(asked, "order", "ASC").upper()
    if order not in ("ASC", "DESC"):
        raise BadRequestError("order is ASC or DESC")
    question = Question(
        start_at=_date(asked, "startDate", config),
        end_at=_date(asked, "endDate", config),
        completed=BOOLEANS[completed],
        search=search,
        sort=_sort(asked, config),
        order=order,
    )
    _require_range(question, config, now)
    offset = {"rows": start, "pages": start * number, "ignored": 0}[config.start_counts]
    return Request(question, offset, number)


def _require_range(question: Question, config: SandboxConfig, now: int) -> None:
    start, end, longest = question.start_at, question.end_at, config.longest_range_days
    if not config.takes_future and end is not None and end > now:
        raise BadRequestError("endDate is in the future")
    if longest is not None and start is not None and end is not None and end - start > longest * DAY:
        raise BadRequestError(f"a range is of {longest} days at most")


def _sort(asked: Mapping[str, Any], config: SandboxConfig) -> str:
    sort = _text(asked, "sort", DEFAULT_SORT)
    if sort == "transactionId" and config.sort_transaction_id != "accepted":
        if config.sort_transaction_id == "error":
            raise BadRequestError("sort by transactionId is not possible")
        return DEFAULT_SORT
    return sort if sort in SORTABLE else DEFAULT_SORT


def _whole(asked: Mapping[str, Any], name: str, default: int) -> int:
    value = asked.get(name)
    if value is None or value == "":
        return default
    try:
        number = -1 if isinstance(value, bool | float) else int(value)
    except (TypeError, ValueError):
        number = -1
    if number < 0:
        raise BadRequestError(f"{name} is a whole number, 0 or more")
    return number


def _text(asked: Mapping[str, Any], name: str, default: str) -> str:
    value = asked.get(name)
    if value is None or value == "":
        return default
    if not isinstance(value, str) or len(value) > 100:  # noqa: PLR2004 - varchar(100) on the vendor's page
        raise BadRequestError(f"{name} is text of at most 100 characters")
    return value


def _date(asked: Mapping[str, Any], name: str, config: SandboxConfig) -> int | None:
    value = asked.get(name)
    if value is None or value == "":
        if config.dates_required:
            raise BadRequestError(f"{name} is required")
        return None
    try:
        return read_date(str(value), config.dates_read_in)
    except (ValueError, OverflowError) as error:
        raise BadRequestError(f"{name} is a date and time such as 2020-01-01T00:00:00") from error
