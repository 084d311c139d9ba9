"""A vendor of a few lines, to be bent by a test: a list of rows, and a hook that sees each page before it is sent."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

import httpx

from progress_pipeline.vendor.answers import Answers
from progress_pipeline.vendor.asking import Outcome, WindowAttempt, carry_out
from progress_pipeline.vendor.client import VendorClient
from progress_pipeline.vendor.ledger import CallLedger, Purpose
from progress_pipeline.vendor.planning import Ask
from progress_pipeline.vendor.windows import Window, subtract

Asked: TypeAlias = dict[str, Any]
Rows: TypeAlias = list[dict[str, Any]]
Bend: TypeAlias = Callable[["PlainVendor", Asked, Rows], Rows]


class RefusedError(Exception):
    """Raised by a bend, it makes the vendor refuse the question."""


@dataclass
class PlainVendor(httpx.BaseTransport):
    """A vendor that filters on the start, reads `start` as rows and sorts by what it is asked to, ties as they stand.

    Attributes:
        rows: All rows; a row is a record of the vendor's page.
        has_count: Whether an answer says how many rows its window has.
        page_cap: The most rows of an answer.
        sorts: The fields that it sorts by; any other is taken for lastName.
        unit: What `start` counts: rows, pages, ignored.
        bend: Changes a page before it is sent, or the rows that come after.
        asked: All requests, less the token.
    """

    rows: Rows
    has_count: bool = True
    page_cap: int | None = None
    sorts: tuple[str, ...] = ("transactionId", "registration", "lastName")
    unit: str = "rows"
    bend: Bend | None = None
    asked: list[Asked] = field(default_factory=list)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        asked = json.loads(request.read())
        del asked["token"]
        self.asked.append(asked)
        found = self.found(asked)
        number = min(asked["number"], self.page_cap or asked["number"])
        begin = {"rows": asked["start"], "pages": asked["start"] * number, "ignored": 0}[self.unit]
        page = found[begin : begin + number]
        if self.bend is not None:
            try:
                page = self.bend(self, asked, page)
            except RefusedError:
                return httpx.Response(400, text="no")
        return httpx.Response(200, json={"count": len(found), "rows": page} if self.has_count else page)

    def found(self, asked: Asked) -> Rows:
        """Give all rows that are asked for, in order."""
        start, end = (datetime.fromisoformat(asked[name]).replace(tzinfo=None) for name in ("startDate", "endDate"))
        found = [
            row
            for row in self.rows
            if start <= datetime.fromisoformat(row["dateStarted"]) < end and asked["search"] in row["registration"]
        ]
        field_name = asked["sort"] if asked["sort"] in self.sorts else "lastName"
        found.sort(key=lambda row: row[field_name], reverse=asked["order"] == "DESC")
        return found


def row(number: int, started: datetime, last_name: str = "Doe") -> dict[str, Any]:
    """Make a row."""
    return {
        "transactionId": number,
        "lastName": last_name,
        "registration": f"reg-{number:05}",
        "dateStarted": f"{started:%Y-%m-%dT%H:%M:%S}",
    }


@dataclass
class Pull:
    """What came of asking a vendor for a span.

    Attributes:
        span: The span.
        ids: Distinct transactions that came.
        attempts: What was said of its parts.
        answers: What is known of the vendor now.
        outcome: How it ended.
    """

    span: Window
    ids: set[str]
    attempts: list[WindowAttempt]
    answers: Answers
    outcome: Outcome

    @property
    def left(self) -> tuple[Window, ...]:
        """The parts that were not proven."""
        proven = [Window(one.window_start, one.window_end) for one in self.attempts if one.is_complete]
        return subtract(self.span, proven)


def pull(
    ledger: CallLedger, vendor: PlainVendor, span: Window, *, page_size: int, expected_rows: float | None = None
) -> Pull:
    """Ask a vendor for a span."""
    answers = Answers.load(ledger)
    with VendorClient("http://127.0.0.1/", "token", ledger, clock=ledger.clock, transport=vendor) as client:
        work = carry_out(
            client, [Ask(Purpose.BACKFILL, span, expected_rows=expected_rows)], answers=answers, page_size=page_size
        )
        batches = list(work)
    ids = {text for batch in batches for text in batch.records["transaction_id"].to_pylist()}
    return Pull(span, ids, [one for batch in batches for one in batch.windows], answers, work.outcome)
