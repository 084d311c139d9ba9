"""What was found out about this vendor, each answer with its evidence and when, kept beside the calls ledger.

Nothing is assumed: a question without an answer makes the asking dearer, never wrong. An observation that contradicts
an answer takes it back and is an alert. How answers are found is not decided here (`inference`, `probe`, `measuring`).

    page_limit     the most records that one answer ever held: no silent cap is below it
    page_cap       the most records that the vendor gives in an answer, where it gives fewer than asked for
    start_unit     what `start` counts: rows, pages, or it is ignored
    count_is       what `count` is: total (of the window, over all pages) or unsure, which announces nothing
    count_exceeds_page      whether a `count` ever was more than came with it
    order          whether sort=transactionId gives a total order: granted, ignored, refused
    order_by_registration    the same of sort=registration, whose ties are the transactions of one registration
    paging         whether rows keep their places from one call to the next under the order that there is: steady or
                   moving
    zone           the offset from UTC at which the dates of a request are read, as bounds in seconds
    grain          to what a request's dates are cut: second (or finer), day
    dates_tried    when it was last tried to find out how dates are read
    start_date, end_date    whether each end of the range is itself in
    not_started, not_completed, not_changed    rows that contradict the filter being on that date
    open_not_started    open rows that contradict that such rows are found by their start; none yet, once one was shown
    transactions   a transaction per update, or one updated in place
    envelope       array, object or rows
    most_records, no_future, longest_range    what the vendor refuses: to give more records at once, a range that ends
                   less than so many hours before the present, a range of more days
    unseen_at_most by age in days, how many days a change can stay unseen (`staleness`)
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from progress_pipeline.vendor.counting import reserves
from progress_pipeline.vendor.ledger import CallLedger, Purpose

STARTED, COMPLETED, CHANGED = "started", "completed", "changed"
FILTER_DATES = (STARTED, COMPLETED, CHANGED)
GRANTED, IGNORED, REFUSED = "granted", "ignored", "refused"
AN_UPDATE_EACH = "an update each"
BY_ID = "transactionId"
ORDERS = {BY_ID: "order", "registration": "order_by_registration"}
"""Fields whose values never change, each with the question whether the vendor sorts by it."""
FALLBACK_SORT = "lastName"
"""The one value of `sort` on the vendor's page."""
MOST_RECORDS, NO_FUTURE, LONGEST_RANGE = "most_records", "no_future", "longest_range"
"""What the vendor refuses (`refusals`): more records at once, a range with too late an end, one of more days."""
CONTRADICTIONS = 3
"""So many rows rule a filter date out; fewer may be odd rows."""
BY_PROBE = ["probe"] * CONTRADICTIONS
"""A record that stood at one of its dates and not at the other rules the other out by itself."""
ALERTS_KEPT = 50
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
FARTHEST_ZONE = timedelta(hours=14)
WHOLE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Finding:
    """An answer to one question.

    Attributes:
        question: Which, by the names above.
        answer: The answer.
        evidence: What shows it.
        found_at: When.
        call_id: The call that showed it.
    """

    question: str
    answer: Any
    evidence: str
    found_at: datetime
    call_id: int | None = None


@dataclass(frozen=True)
class Alert:
    """An observation that contradicted an answer, which was taken back.

    Attributes:
        question: Which answer.
        said: What was believed and what contradicted it.
        found_at: When.
    """

    question: str
    said: str
    found_at: datetime


@dataclass(frozen=True)
class Slack:
    """How far what the vendor takes a range for may be off, and so how much wider is asked.

    Attributes:
        before: Asked before the start of a span that must be covered.
        after: Asked after its end.
        joint: By how much two neighbouring windows of a span overlap.
    """

    before: timedelta
    after: timedelta
    joint: timedelta


class Answers:
    """What is known of this vendor.

    Args:
        ledger: Keeps it, and gives the time.
    """

    def __init__(self, ledger: CallLedger) -> None:
        self._ledger = ledger
        self._findings: dict[str, Finding] = {}
        self._alerts: list[Alert] = []
        for name, kept in ledger.known().items():
            if name == "alerts":
                self._alerts = [Alert(one["question"], one["said"], _instant(one["found_at"])) for one in kept]
            elif isinstance(kept, dict) and "found_at" in kept:
                found_at = _instant(kept["found_at"])
                self._findings[name] = Finding(name, kept["answer"], kept["evidence"], found_at, kept["call_id"])

    @classmethod
    def load(cls, ledger: CallLedger) -> Self:
        """Read what is known."""
        return cls(ledger)

    def findings(self) -> list[Finding]:
        """Give all answers, by question."""
        return [self._findings[name] for name in sorted(self._findings)]

    def alerts(self) -> list[Alert]:
        """Give the contradictions, the newest last."""
        return list(self._alerts)

    def get(self, question: str) -> Any:
        """Give an answer, or None where there is none."""
        finding = self._findings.get(question)
        return None if finding is None else finding.answer

    def found_at(self, question: str) -> datetime | None:
        """Give when an answer was found."""
        finding = self._findings.get(question)
        return None if finding is None else finding.found_at

    def learn(self, question: str, answer: Any, evidence: str, call_id: int | None = None) -> None:
        """Keep an answer; one that differs from what was believed is an alert."""
        before = self._findings.get(question)
        if before is not None and before.answer == answer:
            return
        if before is not None:
            self._alert(question, f"was believed to be {before.answer} ({before.evidence}); now {answer}: {evidence}")
        self._keep(question, answer, evidence, call_id)

    def refine(self, question: str, answer: Any, evidence: str, call_id: int | None = None) -> None:
        """Keep an answer that only says more than the one before."""
        if self.get(question) != answer:
            self._keep(question, answer, evidence, call_id)

    def doubt(self, questions: Iterable[str], why: str) -> None:
        """Take answers back, since something contradicts them."""
        for question in questions:
            before = self._findings.pop(question, None)
            if question in {"grain", "zone"} and "dates_tried" in self._findings:
                del self._findings["dates_tried"]
                self._ledger.know("dates_tried", None)
            if before is not None:
                self._alert(question, f"was believed to be {before.answer} ({before.evidence}); taken back: {why}")
                self._ledger.know(question, None)

    def forget(self, question: str) -> None:
        """Drop an answer that was too hasty."""
        if self._findings.pop(question, None) is not None:
            self._ledger.know(question, None)

    def _keep(self, question: str, answer: Any, evidence: str, call_id: int | None) -> None:
        found_at = self._ledger.clock()
        self._findings[question] = Finding(question, answer, evidence, found_at, call_id)
        kept = {"answer": answer, "evidence": evidence, "found_at": found_at.isoformat(), "call_id": call_id}
        self._ledger.know(question, kept)

    def _alert(self, question: str, said: str) -> None:
        self._alerts = [*self._alerts, Alert(question, said, self._ledger.clock())][-ALERTS_KEPT:]
        kept = [{"question": a.question, "said": a.said, "found_at": a.found_at.isoformat()} for a in self._alerts]
        self._ledger.know("alerts", kept)

    # What follows is read by those who plan and ask.

    def calls_left(self, purpose: Purpose) -> int:
        """Give the calls that the day has left for a purpose."""
        return self._ledger.left(purpose)

    def calls_kept(self, purpose: Purpose) -> int:
        """Give the calls of a day that are kept for a purpose."""
        return reserves(self._ledger.daily_calls)[purpose]

    @property
    def page_limit(self) -> int:
        """The most records that one answer ever held."""
        return int(self.get("page_limit") or 0)

    @property
    def page_cap(self) -> int | None:
        """The most records that the vendor gives in an answer, where it gives fewer than asked for."""
        cap = self.get("page_cap")
        return None if cap is None else int(cap)

    def fits(self, page_size: int) -> int:
        """Give the records that an answer holds at most, where so many are asked for."""
        return min(self.asks_for(page_size), self.page_cap or page_size)

    def asks_for(self, page_size: int) -> int:
        """Give the records to ask for at once, in place of so many that the vendor may refuse."""
        return min(page_size, self.get(MOST_RECORDS) or page_size)

    def latest_end(self, now: datetime) -> datetime | None:
        """Give when a range may end at the latest, if so much is known."""
        hours = self.get(NO_FUTURE)
        return None if hours is None else now - timedelta(hours=hours)

    @property
    def longest_range(self) -> timedelta | None:
        """How long a range may be; None if no limit is known."""
        days = self.get(LONGEST_RANGE)
        return None if days is None else timedelta(days=days)

    @property
    def start_unit(self) -> str | None:
        """What `start` counts: rows, pages, ignored; None if that is not known."""
        return self.get("start_unit")  # type: ignore[no-any-return]

    @property
    def count_is_total(self) -> bool:
        """Whether `count` is known to be the total of a window over all pages."""
        return bool(self.get("count_is") == "total")

    @property
    def sort(self) -> str:
        """The field to sort by: the first that gives an order, or may; else the one on the vendor's page."""
        return next((field for field in ORDERS if self.get(ORDERS[field]) in {None, GRANTED}), FALLBACK_SORT)

    @property
    def is_ordered(self) -> bool:
        """Whether sorting by `sort` is known to give an order by a key that never changes."""
        return self.sort in ORDERS and self.get(ORDERS[self.sort]) == GRANTED

    @property
    def filter_dates(self) -> frozenset[str]:
        """The dates that the filter may be on: those that no rows have ruled out."""
        return frozenset(date for date in FILTER_DATES if len(self.get(f"not_{date}") or ()) < CONTRADICTIONS)

    @property
    def open_filter_dates(self) -> frozenset[str]:
        """The dates that open records may be found by.

        A filter may be on the completion where there is one and on the start where there is none, or on either. So what
        rules the start out for complete records does not for open ones, once such a record was shown at all.
        """
        against = self.get("open_not_started")
        may_be = against is not None and len(against) < CONTRADICTIONS
        return self.filter_dates | {STARTED} if may_be else self.filter_dates

    @property
    def slack(self) -> Slack:
        """How much wider than needed is asked, under everything that is not known."""
        bounds = self.get("zone")
        low, high = (timedelta(seconds=bound) for bound in bounds) if bounds else (-FARTHEST_ZONE, FARTHEST_ZONE)
        grain = SECOND if self.get("grain") == "second" else WHOLE_DAY + SECOND
        return Slack(before=high + grain, after=grain - low, joint=grain)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
