"""What a refused question teaches: which part of it the vendor does not take.

A vendor may refuse (400) what its page says nothing against: many records at once, a range that ends after the present,
a long range. Then nothing would ever be covered. So a refused question is put again with one part after the other
changed, until it is taken. If the question as it was is refused once more, each change without which it is refused is a
limit that is kept from then on (`Answers`), and the span is planned anew. It takes a dozen calls at most, once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from progress_pipeline.vendor.answering import QuestionRefusedError
from progress_pipeline.vendor.answers import LONGEST_RANGE, MOST_RECORDS, NO_FUTURE, Answers
from progress_pipeline.vendor.exchange import Answer, Question
from progress_pipeline.vendor.windows import Window

PLAIN_NUMBER = 100
"""Records that the vendor's page calls the default, so an answer of so many is surely to be had."""
HOURS_BEFORE = (0, 14)
"""How long before the present a range is tried to end: at it, or so early that it is past wherever a date is read."""
RANGES = (366, 92, 31, 7)
"""Lengths in days that a range is tried with, in turn."""


class LimitFoundError(Exception):
    """The vendor does not take what was asked for, and what it takes is known now: the span is to be planned anew."""


@dataclass(frozen=True)
class _Change:
    name: str
    value: object
    told: str
    apply: Callable[[Question], Question]


def find_limits(
    ask: Callable[[Question], Answer], answers: Answers, refused: Question, error: QuestionRefusedError, now: datetime
) -> Answer:
    """Find out why a question is refused.

    Args:
        ask: Puts a question.
        answers: Where the limits are kept.
        refused: The question.
        error: The refusal.
        now: An instant that the vendor takes for past.

    Returns:
        The answer to the question, if it was refused by chance.

    Raises:
        LimitFoundError: A limit was found.
        QuestionRefusedError: None was found; this is the error that was given.
    """

    def is_taken(changes: list[_Change]) -> bool:
        question = refused
        for change in changes:
            question = change.apply(question)
        try:
            ask(question)
        except QuestionRefusedError:
            return False
        return True

    made: list[_Change] = []
    for change in _changes(refused, now):
        made = [*(each for each in made if each.name != change.name), change]
        if is_taken(made):
            break
    else:
        raise error
    try:
        return ask(refused)
    except QuestionRefusedError as again:
        for each in made[:-1]:
            others = [other for other in made if other is not each]
            if is_taken(others):
                made = others
        for each in made:
            answers.refine(each.name, each.value, f"{each.told} is refused: {again}")
        raise LimitFoundError from again


def _changes(question: Question, now: datetime) -> Iterator[_Change]:
    if question.number > PLAIN_NUMBER:
        told = f"asking for {question.number} records"
        yield _Change(MOST_RECORDS, PLAIN_NUMBER, told, lambda asked: replace(asked, number=PLAIN_NUMBER))
    for hours in HOURS_BEFORE:
        latest = now - timedelta(hours=hours)
        if question.window.start < latest < question.window.end:
            told = f"a range that ends later than {hours} hours before the present"
            yield _Change(NO_FUTURE, hours, told, partial(_ended, latest))
    for days in RANGES:
        length = timedelta(days=days)
        if length < question.window.duration:
            yield _Change(LONGEST_RANGE, days, f"a range of more than {days} days", partial(_shortened, length))


def _ended(latest: datetime, asked: Question) -> Question:
    return replace(asked, window=Window(asked.window.start, min(asked.window.end, latest)))


def _shortened(length: timedelta, asked: Question) -> Question:
    end = asked.window.end
    return replace(asked, window=Window(max(asked.window.start, end - length), end))
