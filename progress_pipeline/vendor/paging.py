"""Bringing in a window with one answer, and what a first answer shows of `count` and of the page's limit."""

from collections.abc import Generator

from progress_pipeline.vendor.answers import Answers
from progress_pipeline.vendor.asker import Asker
from progress_pipeline.vendor.client import Answer
from progress_pipeline.vendor.measuring import learn_cap
from progress_pipeline.vendor.tiles import Tile, judge_one


def ask_whole(asker: Asker, tile: Tile) -> Generator[Answer, None, tuple[Tile, Answer]]:
    """Ask a tile with one answer, and once more if less came than is announced and would fit."""
    answer = yield from asker.ask(tile.asked)
    _trust_count(asker.answers, answer)
    judge_one(tile, answer, fits=asker.fits, count_is_total=asker.answers.count_is_total)
    size, count = answer.page.size, answer.page.count
    if count is None or count <= size or size >= asker.fits:
        return tile, answer
    again = yield from asker.ask(tile.asked)
    judge_one(tile, again, fits=asker.fits, count_is_total=asker.answers.count_is_total)
    if again.page.size == size and (again.page.count or 0) > size > 0:
        learn_cap(asker.answers, again)
    return tile, again


def _trust_count(answers: Answers, answer: Answer) -> None:
    """Take `count` for the total once it has exceeded a page and now equals one that is not full."""
    count, size = answer.page.count, answer.page.size
    if answers.get("count_is") is None and answers.get("count_exceeds_page") and count == size < answer.question.number:
        evidence = f"call {answer.call_id}: all {size} came of {count} announced; elsewhere it exceeded the page"
        answers.learn("count_is", "total", evidence, answer.call_id)
