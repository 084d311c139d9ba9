"""What came of one window that was asked whole, in one answer or in several.

A tile is a window of the span that is to be covered. Its proof is one of these; each holds under every answer to the
open questions, and names its evidence:

    counted     one answer, at one instant: as many records as the vendor's `count`, which is known to be the total
    linked      pages under a total order of transactionId, each beginning with a row that the one before held: a
    slice of an
                ordered list leaves nothing out between its ends, however the list moves
    steady      pages without such an order: the vendor's `count` before, between and after is the same, and so is the
                number of distinct transactions; nothing of a span in the past can have come in
    measured    no `count`: the list is as long as what came, since the row at its last place is there and no further
    one twice       no `count`, `start` ignored: asked from both ends, both answers shorter than a page and equal
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from enum import Enum, auto

from progress_pipeline.vendor.answers import Answers
from progress_pipeline.vendor.asker import Asker
from progress_pipeline.vendor.exchange import Answer
from progress_pipeline.vendor.measuring import learn_cap
from progress_pipeline.vendor.windows import Window


class Verdict(Enum):
    """What is known of a tile."""

    PROVEN = auto()
    UNSURE = auto()
    MORE = auto()
    FAILED = auto()


@dataclass
class Tile:
    """A window and what came of it.

    Attributes:
        window: The window, as it was to be covered; more was asked at its start, where it meets its neighbour.
        asked: The window that was asked.
        verdict: PROVEN; UNSURE, if nothing says that there is more and nothing proves it; MORE, if there is; FAILED,
            if paging could not be proved.
        ids: Distinct transactions that came.
        nameless: Things without a transaction that came.
        expected: What the vendor announced or was measured to have.
        at_least: About how many it is known to have, where nothing announces it.
        told: The proof, or why there is none.
    """

    window: Window
    asked: Window
    verdict: Verdict = Verdict.UNSURE
    ids: set[str] = field(default_factory=set)
    nameless: int = 0
    expected: int | None = None
    at_least: int = 0
    told: str = ""

    @property
    def size(self) -> int:
        """Things that came."""
        return len(self.ids) + self.nameless

    def take(self, answer: Answer) -> list[str]:
        """Add an answer's transactions, and give them in order."""
        self.ids.update(answer.page.transaction_ids)
        return answer.page.transaction_ids

    def judged(self, verdict: Verdict, told: str, expected: int | None = None) -> "Tile":
        """Set what is known of it, and give it back."""
        self.verdict, self.told = verdict, told
        if expected is not None:
            self.expected = expected
        return self


def judge_one(tile: Tile, answer: Answer, *, fits: int, count_is_total: bool) -> Tile:
    """Judge a tile by the one answer that it was asked with.

    Args:
        tile: The tile.
        answer: The answer.
        fits: Records that an answer holds at most.
        count_is_total: Whether `count` is known to be the total.
    """
    page = answer.page
    tile.ids = set()
    tile.take(answer)
    tile.nameless = len(page.rejects) + page.records.num_rows - len(tile.ids)
    if page.count is not None and page.count > page.size:
        return tile.judged(Verdict.MORE, f"{page.count} are announced, an answer holds {page.size}", page.count)
    if count_is_total and page.count == page.size:
        return tile.judged(Verdict.PROVEN, f"counted: one answer with all {page.count} that it announces", page.count)
    if page.size >= fits:
        return tile.judged(Verdict.MORE, f"an answer is full with {page.size}")
    return tile.judged(Verdict.UNSURE, f"an answer of {page.size} that nothing confirms")


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
