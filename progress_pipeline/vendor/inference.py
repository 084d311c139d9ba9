"""What every answer shows about the vendor for nothing: the filter's date, the page limit, the order, what `count` is.

Each rule is one that holds whatever the vendor is; where odd rows could mislead it, several of them are needed. What
costs a call to find out is the subject of `probe` and `measuring`.
"""

from datetime import timedelta
from functools import cache
from itertools import pairwise
from operator import le, lt

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from progress_pipeline.vendor.answers import (
    BY_ID,
    BY_PROBE,
    CHANGED,
    COMPLETED,
    CONTRADICTIONS,
    FILTER_DATES,
    GRANTED,
    IGNORED,
    ORDERS,
    SECOND,
    STARTED,
    Answers,
)
from progress_pipeline.vendor.dates import is_absent, seconds
from progress_pipeline.vendor.exchange import Answer
from progress_pipeline.vendor.records import FIELDS

DOUBT = timedelta(hours=40)
"""A range may be read in another zone (14 h) and cut to days (24 h), so a date this near to it proves nothing."""
ENOUGH_TO_BE_SORTED = 8
"""So many rows in order are no accident: 1 in 40,000."""

COLUMNS = dict(FIELDS)
_DATE_COLUMNS = {STARTED: "date_started", COMPLETED: "date_completed"}


def observe(answers: Answers, answer: Answer) -> None:
    """Add what an answer shows to what is known."""
    page, question, call_id = answer.page, answer.question, answer.call_id
    answers.learn("envelope", page.envelope, "as answered", call_id) if page.size > 1 else None
    if page.size > answers.page_limit:
        answers.refine("page_limit", page.size, f"call {call_id} brought {page.size} records", call_id)
    if answers.page_cap is not None and page.size > answers.page_cap:
        answers.doubt(["page_cap"], f"call {call_id} brought {page.size} records")
    _observe_count(answers, answer)
    if question.sort in ORDERS and question.order == "ASC":
        _observe_order(answers, answer, question.sort)
    if page.records.num_rows:
        _observe_filter(answers, answer)
        _hold_dates_against(answers, answer)


def _observe_count(answers: Answers, answer: Answer) -> None:
    page, call_id = answer.page, answer.call_id
    if page.count is None:
        if answers.get("count_is") is not None and page.envelope == "rows":
            answers.doubt(["count_is"], f"call {call_id} gave none")
        return
    if page.count < page.size:
        answers.learn("count_is", "unsure", f"call {call_id}: {page.count} for {page.size} records", call_id)
    elif page.count > page.size and answers.get("count_is") is None:
        evidence = f"call {call_id}: {page.count} for {page.size} records"
        answers.refine("count_exceeds_page", True, evidence, call_id)  # noqa: FBT003 - the answer itself


def _observe_order(answers: Answers, answer: Answer, field: str) -> None:
    keys = keys_of(answer, field)
    question = ORDERS[field]
    if len(keys) < 2:  # noqa: PLR2004 - one row is in any order
        return
    if not is_ascending(keys, is_strict=field == BY_ID):
        if answers.get(question) != IGNORED:
            evidence = f"call {answer.call_id}: rows do not ascend by {field}"
            answers.learn(question, IGNORED, evidence, answer.call_id)
    elif answers.get(question) is None and len(set(keys)) >= ENOUGH_TO_BE_SORTED:
        evidence = f"call {answer.call_id}: {len(keys)} rows ascend by {field}"
        answers.learn(question, GRANTED, evidence, answer.call_id)


def keys_of(answer: Answer, field: str) -> list[str]:
    """Give the keys of an answer's rows, in order; case is of no account."""
    texts = answer.page.transaction_ids if field == BY_ID else answer.page.records[COLUMNS[field]].to_pylist()
    if None not in texts and "".join(texts).isdigit():  # as transactions are, most often
        return texts
    return [(text or "").strip().casefold() for text in texts]


def is_ascending(keys: list[str], *, is_strict: bool) -> bool:
    """Say whether keys ascend, as texts or as numbers."""
    follows = lt if is_strict else le
    if all(map(follows, keys, keys[1:])):
        return True
    numbers = [(0, int(key), "") if key.isascii() and key.isdigit() else (1, 0, key) for key in keys]
    return all(follows(before, after) for before, after in pairwise(numbers))


def _observe_filter(answers: Answers, answer: Answer) -> None:
    """Rule out the filter dates that rows contradict.

    A row with a start outside the range was not chosen by its start; one completed outside, not by its completion;
    one started or completed after the range, not by its last change. Rows without the date prove nothing: some
    filters let them pass.
    """
    window, records = answer.question.window, answer.page.records
    low, high = (window.start - DOUBT).timestamp(), (window.end + DOUBT).timestamp()
    at = cache(lambda date: seconds(records[_DATE_COLUMNS[date]]))
    for date in [date for date in FILTER_DATES if date in answers.filter_dates]:
        with np.errstate(invalid="ignore"):
            is_against = (
                (at(STARTED) > high) | (at(COMPLETED) > high)
                if date == CHANGED
                else (at(date) < low) | (at(date) > high)
            )
        _rule_out(answers, answer, date, is_against)
    _observe_open(answers, answer, at(STARTED), low, high)
    if not answers.filter_dates:
        names = [*(f"not_{date}" for date in FILTER_DATES), "open_not_started"]
        answers.doubt(names, "rows contradict every date that the filter could be on")


def _observe_open(answers: Answers, answer: Answer, started: NDArray[np.float64], low: float, high: float) -> None:
    """Keep open rows that came though their start lies outside the range, so not by their start; or that one came."""
    if len(answers.get("open_not_started") or ()) >= CONTRADICTIONS:
        return
    is_open = is_absent(answer.page.records[_DATE_COLUMNS[COMPLETED]]) & np.isfinite(started)
    if is_open.any():
        with np.errstate(invalid="ignore"):
            is_against = is_open & ((started < low) | (started > high))
        _keep_against(answers, answer, "open_not_started", is_against)


def _hold_dates_against(answers: Answers, answer: Answer) -> None:
    """Doubt what is known of zone and grain, where rows are outside a range as it would be read then.

    Only while the filter cannot be on the last change, which a row does not tell.
    """
    alive = answers.filter_dates
    if answers.get("grain") != "second" or answers.get("zone") is None or not alive or CHANGED in alive:
        return
    window, slack, records = answer.question.window, answers.slack, answer.page.records
    low, high = (window.start - slack.after - SECOND).timestamp(), (window.end + slack.before + SECOND).timestamp()
    outside = np.ones(records.num_rows, dtype=np.bool_)
    for date in alive:
        at = seconds(records[_DATE_COLUMNS[date]])
        with np.errstate(invalid="ignore"):
            outside &= (at < low) | (at > high)
    if int(outside.sum()) >= CONTRADICTIONS:
        row = records["transaction_id"].filter(pa.array(outside))[0]
        answers.doubt(
            ["zone", "grain"], f"call {answer.call_id}: rows outside what was asked, such as transaction {row}"
        )


def _rule_out(answers: Answers, answer: Answer, date: str, is_against: NDArray[np.bool_]) -> None:
    if date not in answers.filter_dates or not is_against.any():
        return
    evidence = _keep_against(answers, answer, f"not_{date}", is_against)
    if date == STARTED and date not in answers.filter_dates and answers.get(f"not_{COMPLETED}") == BY_PROBE:
        # A record was found by its start alone, so the filter was on that: the vendor has changed, and may be anything.
        answers.doubt([f"not_{COMPLETED}", f"not_{CHANGED}"], f"it was on the start; {evidence}")


def _keep_against(answers: Answers, answer: Answer, name: str, is_against: NDArray[np.bool_]) -> str:
    """Keep the transactions of rows that are against something, a few at most, and say what shows it."""
    rows = answer.page.records["transaction_id"].filter(pa.array(is_against)).slice(0, CONTRADICTIONS).to_pylist()
    known = answers.get(name) or []
    together = [*known, *(row for row in rows if row not in known)][:CONTRADICTIONS]
    evidence = f"call {answer.call_id}: " + (
        f"rows outside what was asked, such as transaction {rows[0]}" if rows else "none outside what was asked"
    )
    answers.refine(name, together, evidence, answer.call_id)
    return evidence
