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


def judge_one(tile: Tile, answer: Answer, *, fits: int, count_is: str | None) -> Tile:
    """Judge a tile by the one answer that it was asked with.

    Args:
        tile: The tile.
        answer: The answer.
        fits: Records that an answer holds at most.
        count_is: What `count` is known to be; where it is unsure, it announces nothing.
    """
    page = answer.page
    count = None if count_is == "unsure" else page.count
    tile.ids, tile.expected = set(), None
    tile.take(answer)
    tile.nameless = len(page.rejects) + page.records.num_rows - len(tile.ids)
    if count is not None and count > page.size:
        return tile.judged(Verdict.MORE, f"{count} are announced, an answer holds {page.size}", count)
    if count_is == "total" and count == page.size:
        return tile.judged(Verdict.PROVEN, f"counted: one answer with all {count} that it announces", count)
    if page.size >= fits:
        return tile.judged(Verdict.MORE, f"an answer is full with {page.size}")
    return tile.judged(Verdict.UNSURE, f"an answer of {page.size} that nothing confirms")


def ask_whole(asker: Asker, tile: Tile) -> Generator[Answer, None, tuple[Tile, Answer]]:
    """Ask a tile with one answer, and once more if less came than is announced and would fit."""
    answer = yield from asker.ask(tile.asked)
    _trust_count(asker.answers, answer)
    judge_one(tile, answer, fits=asker.fits, count_is=asker.answers.get("count_is"))
    size = answer.page.size
    if tile.expected is None or tile.expected <= size or size >= asker.fits:
        return tile, answer
    again = yield from asker.ask(tile.asked)
    if again.page.size == size and (again.page.count or 0) > size:
        _explain_fewer(asker.answers, again)
    return judge_one(tile, again, fits=asker.fits, count_is=asker.answers.get("count_is")), again


def _explain_fewer(answers: Answers, answer: Answer) -> None:
    """Learn why fewer came, twice, than are announced and asked for.

    Either the vendor gives no more at once, or, where it gave more before, `count` is not that of the window: it may be
    that of all records there are, which one window that holds them all does not show.
    """
    size = answer.page.size
    if size < answers.page_limit:
        evidence = (
            f"call {answer.call_id}: {size} came, twice, of {answer.page.count} announced; more were given before"
        )
        answers.learn("count_is", "unsure", evidence, answer.call_id)
    else:
        learn_cap(answers, answer)


def _trust_count(answers: Answers, answer: Answer) -> None:
    """Take `count` for the total once it has exceeded a page and now equals one that is not full."""
    count, size = answer.page.count, answer.page.size
    if answers.get("count_is") is None and answers.get("count_exceeds_page") and count == size < answer.question.number:
        evidence = f"call {answer.call_id}: all {size} came of {count} announced; elsewhere it exceeded the page"
        answers.learn("count_is", "total", evidence, answer.call_id)
