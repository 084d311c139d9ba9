"""Measuring how long a list is without a `count`, by asking for its end.

If a list has n rows, asking from row n - 1 on gives exactly one of them. One call so proves that what came is all,
whatever the order of the list and however its ties fall; and it shows what `start` counts and what `count` means,
where that was not known. An empty answer alone proves nothing: servers give one for many reasons.
"""

from collections.abc import Generator
from dataclasses import dataclass
from enum import Enum, auto

from progress_pipeline.vendor.answers import FALLBACK_SORT, Answers
from progress_pipeline.vendor.asker import Asker
from progress_pipeline.vendor.exchange import Answer
from progress_pipeline.vendor.inference import COLUMNS, is_ascending, keys_of
from progress_pipeline.vendor.windows import Window

FAR = 10_000_000
"""A `start` that no list reaches."""
CAP_AT_LEAST = 2
"""No vendor silently gives one record at a time."""
LETTERS = 5
"""So many first letters descend by accident in 1 list of 120."""
EMPTY_ASKED = 3
"""So often an empty list is asked again until it is taken to be empty."""


class Length(Enum):
    """How long a list is, held against what came of it; UNSEEN, if a silent cap may hide that it is longer."""

    EQUAL = auto()
    LONGER = auto()
    SHORTER = auto()
    UNSEEN = auto()
    UNKNOWN = auto()


@dataclass(frozen=True)
class Measured:
    """How long a list is, held against what came of it.

    Attributes:
        length: Equal, longer or shorter.
        told: What shows it.
        missing: Rows by which it is longer, as far as that shows; at least one.
    """

    length: Length
    told: str
    missing: int = 1


def measure(
    asker: Asker, asked: Window, ids: set[str], nameless: int = 0, *, may_be_cut_off: bool = False
) -> Generator[Answer, None, Measured]:
    """Hold the length of a window's list against what came of it.

    Args:
        asker: Asks.
        asked: The window.
        ids: Distinct transactions that came.
        nameless: Things without a transaction that came.
        may_be_cut_off: Whether one of the answers was as large as any ever was, so that a silent cap may have cut it
            off; then one further answer that is short by a fault could fit by accident, so two must agree. So they
            must for one row, after which nothing comes, and for all of a vendor whose calls failed of late.

    Returns:
        The length, and what shows it.
    """
    size = len(ids) + nameless
    if size == 0:
        return (yield from _ask_for_nothing(asker, asked))
    if asker.answers.start_unit == "ignored":
        return (yield from ask_from_both_ends(asker, asked, ids, size))
    measured = yield from _measure_by_rows(asker, asked, ids, size)
    must_agree = may_be_cut_off or size == 1 or asker.is_shaky
    if must_agree and measured.length is Length.EQUAL and not asker.answers.count_is_total:
        measured = yield from _measure_by_rows(asker, asked, ids, size)
    return measured


def _ask_for_nothing(asker: Asker, asked: Window) -> Generator[Answer, None, Measured]:
    """Ask an empty list again, several times, since servers give empty answers for many reasons."""
    for _ in range(EMPTY_ASKED):
        answer = yield from asker.ask_aside(asked, start=0)
        if answer.page.size:
            return Measured(Length.LONGER, "it is not empty", answer.page.size)
    return Measured(Length.EQUAL, f"measured: nothing, asked {1 + EMPTY_ASKED} times")


def _measure_by_rows(asker: Asker, asked: Window, ids: set[str], size: int) -> Generator[Answer, None, Measured]:
    answers = asker.answers
    answer = yield from asker.ask_from(asked, max(size - 1, 1), is_aside=True)
    page, start = answer.page, asker.place(answer)
    expected = size - start
    has_room = expected < min(answer.question.number, asker.fits)
    came = page.records["transaction_id"].to_pylist()
    confirm_count(answers, answer, size)
    if page.size == 0 and answers.count_is_total and page.count == size:
        return Measured(Length.EQUAL, f"counted: {page.count} are announced")
    if not has_room or page.size == 0:
        # An answer without room could not show a further row, and an empty one may be the page of another unit.
        measured = yield from _measure_by_ones(asker, asked, size)
        if page.size == 0 and measured.length is not Length.SHORTER and answers.start_unit == "rows":
            yield from _doubt_rows(asker, asked, answer)
        return measured
    if page.size == expected and ids.issuperset(came):
        if answers.start_unit is None and size > 1:
            learn_unit(answers, "rows", f"call {answer.call_id}: from row {start} of {size} on came one", answer)
        return Measured(Length.EQUAL, f"measured: from row {start} on come {expected} of {size}")
    return (yield from _explain(asker, asked, ids, answer, expected))


def _doubt_rows(asker: Asker, asked: Window, empty: Answer) -> Generator[Answer, None, None]:
    """Take back that `start` counts rows, if nothing comes again from where there is a row by ones."""
    question = empty.question
    again = yield from asker.ask_aside(asked, start=question.start, number=question.number)
    if again.page.size == 0:
        why = (
            f"calls {empty.call_id} and {again.call_id}: nothing comes from `start` {question.start} on; by ones, a row"
        )
        asker.answers.doubt(["start_unit"], why)


def _explain(
    asker: Asker, asked: Window, ids: set[str], answer: Answer, expected: int
) -> Generator[Answer, None, Measured]:
    """Say why more came than there is to come: the list is longer, or `start` is ignored."""
    page, size = answer.page, len(ids)
    came = page.records["transaction_id"].to_pylist()
    if page.size >= min(size, asker.fits) and ids.issuperset(came):
        far = yield from asker.ask_aside(asked, start=FAR, number=2)
        if far.page.size:
            learn_unit(asker.answers, "ignored", f"call {far.call_id}: `start` {FAR} gives rows of a short list", far)
            return (yield from ask_from_both_ends(asker, asked, ids, size))
    if page.size == size < asker.page_size:
        learn_cap(asker.answers, answer)
    told = f"from row {asker.place(answer)} on come {page.size}, not {expected}"
    return Measured(Length.LONGER, told, max(page.size - expected, 1))


def _measure_by_ones(asker: Asker, asked: Window, size: int) -> Generator[Answer, None, Measured]:
    """Measure with pages of one row, whose number is the row's."""
    last = yield from asker.ask_aside(asked, start=size - 1, number=1)
    if last.page.size == 0:
        return Measured(Length.SHORTER, f"there is no row {size - 1}")
    beyond = yield from asker.ask_aside(asked, start=size, number=1)
    confirm_count(asker.answers, beyond, size)
    if beyond.page.size == 0:
        if asker.answers.start_unit is None and size > 1:
            learn_unit(asker.answers, "pages", f"call {last.call_id}: `start` {size - 1} gives a row by ones", last)
        return Measured(Length.EQUAL, f"measured: there is a row {size - 1} and none after it")
    return Measured(Length.LONGER, f"there is a row {size}")


def ask_from_both_ends(asker: Asker, asked: Window, ids: set[str], size: int) -> Generator[Answer, None, Measured]:
    """Ask for the list in the other order: what came from both ends, in answers that had room for more, is all.

    There was room where another answer held more rows, or where the rows came in the other order indeed; else a silent
    cap may have shown the same end twice.
    """
    answer = yield from asker.ask(asked, order="DESC")
    came = set(answer.page.records["transaction_id"].to_pylist())
    if came == ids and answer.page.size == size and size < asker.fits:
        sort = answer.question.sort
        keys = keys_of(answer, sort if sort in COLUMNS else FALLBACK_SORT)
        if size < max(asker.answers.page_limit, CAP_AT_LEAST) or descends(keys):
            return Measured(Length.EQUAL, f"twice: {size} rows from either end")
        return Measured(Length.UNSEEN, "asked from the other end, the same rows come, not in the other order")
    if came - ids:
        return Measured(Length.LONGER, "asked from the other end, other rows come", len(came - ids))
    return Measured(Length.UNKNOWN, "asked from the other end, fewer rows come")


def descends(keys: list[str]) -> bool:
    """Say whether keys stand in descending order, and are not all equal.

    Where letters of other alphabets and with accents stand is the vendor's affair; that several plain first letters
    descend is no accident either.
    """
    if len(set(keys)) > 1 and is_ascending(keys[::-1], is_strict=False):
        return True
    letters = [key[0] for key in keys if key[:2].isascii() and key[:1].isalpha()]
    return len(set(letters)) >= LETTERS and is_ascending(letters[::-1], is_strict=False)


def learn_cap(answers: Answers, answer: Answer) -> None:
    """Learn that the vendor gives fewer records than it is asked for, from an answer that came so twice."""
    size = answer.page.size
    if 0 < size < answer.question.number and answers.page_cap != size:
        evidence = f"call {answer.call_id}: {size} came, twice, of {answer.question.number} asked for; there are more"
        answers.refine("page_cap", size, evidence, answer.call_id)


def confirm_count(answers: Answers, answer: Answer, size: int) -> None:
    """Learn that `count` is the total, where a page holds fewer than it announces and as many are known."""
    count = answer.page.count
    if count is not None and count == size and count > answer.page.size and answers.get("count_is") is None:
        evidence = f"call {answer.call_id}: {count} announced with {answer.page.size} records, and {count} there are"
        answers.learn("count_is", "total", evidence, answer.call_id)


def learn_unit(answers: Answers, unit: str, evidence: str, answer: Answer) -> None:
    """Learn what `start` counts."""
    answers.learn("start_unit", unit, evidence, answer.call_id)
