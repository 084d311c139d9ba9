"""Bringing one window in, by the cheapest way that proves it: one answer, linked pages, sized pages.

Which way is open depends on what is known of the vendor, and on how the ways went before. A window that none of them
proves comes back as MORE, to be cut, or as FAILED where cutting is of no use any more. What the calls that are left do
not suffice for is not begun.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TypeAlias

from progress_pipeline.errors import CallsUsedUpError
from progress_pipeline.vendor.answering import QuestionRefusedError
from progress_pipeline.vendor.answers import Answers
from progress_pipeline.vendor.asker import Asker
from progress_pipeline.vendor.exchange import Answer
from progress_pipeline.vendor.linking import MOST_PAGES as MOST_LINKED
from progress_pipeline.vendor.linking import Linking
from progress_pipeline.vendor.measuring import Length, ask_from_both_ends, learn_cap, measure
from progress_pipeline.vendor.sizing import MOST_CALLS, Sizing
from progress_pipeline.vendor.starting import find_unit, gauge, gauge_closely
from progress_pipeline.vendor.tiles import Tile, Verdict, ask_whole
from progress_pipeline.vendor.ways import Ways

Bringing: TypeAlias = Generator[Answer, None, tuple[Tile, Answer]]

MOST_ASKED = 10_000
"""So many records at once the vendor's own samples ask for."""
LEARNING_CALLS = 8
"""What it may take to find out how a list without a `count` or an order is paged; with one of them, half of this."""


@dataclass
class Bringer:
    """Brings the windows of one span in.

    Attributes:
        asker: Asks.
        too_dear: Why the last window cannot be brought in on any day, if it cannot.
        ways: Which way is open, and how long a window is to be.
    """

    asker: Asker
    too_dear: str | None = None
    ways: Ways = field(init=False)

    def __post_init__(self) -> None:
        self.ways = Ways(self.asker)

    @property
    def answers(self) -> Answers:
        """What is known of the vendor."""
        return self.asker.answers

    def ask(self, tile: Tile) -> Bringing:
        """Ask a window with one answer."""
        return (yield from ask_whole(self.asker, tile))

    def settle(self, tile: Tile, answer: Answer) -> Bringing:
        """Settle a span that was asked whole: measure it, or page it if that is not too long."""
        if tile.verdict is Verdict.UNSURE:
            return (yield from self.measure(tile)), answer
        if tile.verdict is not Verdict.MORE:
            return tile, answer
        answer = yield from self._learn_paging(tile, answer)
        way = self.ways.way()
        if way is not None:
            if tile.expected is None and not tile.at_least:
                tile.at_least = yield from self.gauge(tile)
            most = self.ways.most_at_once() if self.ways.is_cheap(way) else self.ways.target(0) * 1.15
            if (tile.expected or tile.at_least) <= most:
                tile = yield from self.page(tile, answer, is_last_resort=False)
        return tile, answer

    def gauge(self, tile: Tile) -> Generator[Answer, None, int]:
        """Give about how many rows a list without a count has, by some calls if they can be spared."""
        if self.ways.left < LEARNING_CALLS:
            return 2 * max(tile.size, 1)
        return 2 * (yield from gauge(self.asker, tile))

    def _learn_paging(self, tile: Tile, first: Answer) -> Generator[Answer, None, Answer]:
        """Learn what paging needs to know, if calls can be spared; give a list's first page as it is sorted then."""
        is_told = tile.expected is not None or self.answers.is_ordered
        if self.ways.left < LEARNING_CALLS / (2 if is_told else 1):
            return first
        yield from find_unit(self.asker, tile, first)
        return first

    def page(self, tile: Tile, first: Answer, *, is_last_resort: bool) -> Generator[Answer, None, Tile]:
        """Page through a window that does not fit in an answer, if that can be proved; else it is still MORE."""
        first = yield from self._learn_paging(tile, first)
        while first.question.sort != self.answers.sort:
            first = yield from self.asker.ask(tile.asked)
        way = self.ways.way()
        if way is None and is_last_resort and self.answers.start_unit != "ignored":
            way = "sized"
        if way is None:
            return (yield from self._ask_for_more(tile)) if is_last_resort else tile
        ids, before = set(tile.ids), tile.told
        is_known = tile.expected is not None
        if not is_known and self.ways.is_scarce and self.answers.start_unit in {"rows", "pages"}:
            is_known, tile.at_least = True, (yield from gauge_closely(self.asker, tile))
        needed = self.ways.calls_of(tile.expected or tile.at_least, way)
        if needed > self.ways.left:
            return self._not_begun(tile, needed, is_last_resort=is_last_resort)
        at_most = 1 + (self.ways.left if is_known or is_last_resort else max(self.ways.left // 2, 1))
        paging = (
            Linking(self.asker, tile, at_most=min(at_most, MOST_LINKED))
            if way == "linked"
            else Sizing(self.asker, tile, at_most=min(at_most, MOST_CALLS), is_scarce=self.ways.is_scarce)
        )
        calls = len(self.asker.call_ids)
        paged = yield from paging.run(first)
        is_proven = paged.verdict is Verdict.PROVEN
        if not is_proven and paged.ids <= ids and len(self.asker.call_ids) > calls:
            self.answers.doubt(["start_unit"], f"paging brought nothing after the first page ({paged.told})")
        if isinstance(paging, Linking):
            self.ways.is_coarse |= paging.is_coarse
        else:
            self.ways.note(paging.calls, tile.size, is_proven=is_proven)
        if is_proven or (is_last_resort and way == "linked"):
            return paged
        if is_last_resort:
            return (yield from self._ask_for_more(paged.judged(Verdict.MORE, paged.told)))
        tile.ids = ids
        return tile.judged(Verdict.MORE, f"{before}; {paged.told}")

    def _ask_for_more(self, tile: Tile) -> Generator[Answer, None, Tile]:
        """Ask for more records at once than the setting says, since a window that can be neither cut nor paged fits.

        What the vendor was seen to give is asked for from then on, in this span.
        """
        told, own = f"{tile.told}, and no way to page it is proved", self.asker.page_size
        if self.answers.get("zone") is None:
            told += "; how dates are read is not known, so what is asked at once is some days wide"
        while tile.verdict is Verdict.MORE and self.asker.page_size < min(
            self.answers.page_cap or MOST_ASKED, self.answers.asks_for(MOST_ASKED)
        ):
            self.asker.page_size *= 4
            try:
                tile, _ = yield from self.ask(tile)
            except QuestionRefusedError as error:
                tile.judged(Verdict.FAILED, str(error))
            if tile.verdict is Verdict.UNSURE:
                tile = yield from self.measure(tile)
        if tile.verdict is not Verdict.PROVEN:
            self.asker.page_size = own
            tile.judged(Verdict.FAILED, told)
        return tile

    def _not_begun(self, tile: Tile, needed: int, *, is_last_resort: bool) -> Tile:
        """Leave a window that the calls which are left do not suffice for: to be cut, for another day, or for good."""
        purpose = self.asker.purpose
        told = f"{tile.told}; {needed} further calls are needed, {self.ways.left} are left"
        if not is_last_resort:
            return tile.judged(Verdict.MORE, told)
        granted = self.asker.client.ledger.granted(purpose)
        if needed < granted:
            raise CallsUsedUpError(
                f"The window from {tile.asked.start:%Y-%m-%d %H:%M:%S} to {tile.asked.end:%Y-%m-%d %H:%M:%S} UTC takes "
                f"{needed} further calls, {self.ways.left} are left, and it cannot be cut. The next run begins there."
            )
        self.too_dear = too_dear(f"takes about {needed + 1} calls", granted, self.asker)
        return tile.judged(Verdict.FAILED, f"{tile.told}; {self.too_dear}")

    def measure(self, tile: Tile) -> Generator[Answer, None, Tile]:
        """Measure one window, and ask it again if its list is not as long as what came."""
        may_be_cut_off = tile.size >= self.answers.page_limit
        measured = yield from measure(self.asker, tile.asked, tile.ids, tile.nameless, may_be_cut_off=may_be_cut_off)
        if measured.length is not Length.EQUAL:
            size, is_longer = tile.size, measured.length is Length.LONGER
            tile, answer = yield from ask_whole(self.asker, tile)
            if tile.verdict is not Verdict.UNSURE:
                return tile
            measured = yield from measure(self.asker, tile.asked, tile.ids, tile.nameless)
            if is_longer and measured.length is Length.LONGER and tile.size == size:
                learn_cap(self.answers, answer)
            if not is_longer and measured.length is Length.SHORTER and tile.size:
                measured = yield from ask_from_both_ends(self.asker, tile.asked, tile.ids, tile.size)
        if measured.length is Length.EQUAL:
            return tile.judged(Verdict.PROVEN, measured.told, tile.size)
        is_more = measured.length in {Length.LONGER, Length.UNSEEN}
        return tile.judged(Verdict.MORE if is_more else Verdict.FAILED, measured.told)


def too_dear(takes: str, granted: int, asker: Asker) -> str:
    """Say that a window takes more calls than a day grants, and what helps."""
    cap = asker.answers.page_cap
    page = (
        f"the vendor gives {cap} records in an answer at most"
        if cap is not None and cap <= asker.page_size
        else f"a greater PROGRESS_API_PAGE_SIZE than {asker.page_size} helps, if the vendor allows it"
    )
    return (
        f"it cannot be cut shorter, {takes}, and a day grants {granted} for {asker.purpose.value}: {page}; else only "
        "more calls in a day do (PROGRESS_API_DAILY_CALLS, once the vendor grants them)"
    )
