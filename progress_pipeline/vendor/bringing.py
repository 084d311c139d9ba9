"""Bringing one window in, by the cheapest way that proves it: one answer, linked pages, sized pages.

Which way is open depends on what is known of the vendor, and on how the ways went before. A window that none of them
proves comes back as MORE, to be cut, or as FAILED where cutting is of no use any more. What the calls that are left do
not suffice for is not begun.
"""

from collections.abc import Generator
from dataclasses import dataclass
from math import ceil
from typing import Literal, TypeAlias

from progress_pipeline.errors import CallsUsedUpError
from progress_pipeline.vendor.answering import QuestionRefusedError
from progress_pipeline.vendor.answers import Answers
from progress_pipeline.vendor.asker import Asker
from progress_pipeline.vendor.exchange import Answer
from progress_pipeline.vendor.linking import MOST_PAGES as MOST_LINKED
from progress_pipeline.vendor.linking import TAILS, Linking
from progress_pipeline.vendor.measuring import Length, ask_from_both_ends, learn_cap, measure
from progress_pipeline.vendor.sizing import MOST_CALLS, Sizing
from progress_pipeline.vendor.starting import find_unit, gauge, gauge_closely
from progress_pipeline.vendor.tiles import Tile, Verdict, ask_whole

Bringing: TypeAlias = Generator[Answer, None, tuple[Tile, Answer]]
Way: TypeAlias = Literal["linked", "sized"]

FILL, LEAST_FILL = 0.8, 0.3
LINKED_PAGES, LINKED_ROWS = 60, 100_000
"""Pages of a window that is linked, and rows of it, since their names are held in memory."""
OVERLAPPING_PAGES = 10.0
"""Where `start` counts pages, each that overlaps the one before is a little shorter, so a window has only some."""
SIZED_PAGES, FEWEST_PAGES, MOST_PAGES = 4.0, 1.0, 8.0
"""Pages of a window that is sized: at first, at least and at most; the more a list moves, the fewer."""
DEAR = 1.7
"""So many times the calls that a still list would take make the next windows shorter."""
FLOOR_WORTH = 3
"""Rows that come with every window (those without a date, say) are paid with each; so many times as many new ones."""
CALLS_KEPT = 2
MOST_ASKED = 10_000
"""So many records at once the vendor's own samples ask for."""
SCARCE = 40
"""With fewer calls than this left, how long a list is is found out before it is paged."""
LEARNING_CALLS = 8
"""What it may take to find out how a list without a `count` or an order is paged; with one of them, half of this."""


@dataclass
class Bringer:
    """Brings the windows of one span in.

    Attributes:
        asker: Asks.
        sized_pages: Pages of a window that is sized.
        is_coarse: Whether the order that there is has keys with more rows than a page, so that it links nothing.
        too_dear: Why the last window cannot be brought in on any day, if it cannot.
        step: New rows of a page of the last window that was sized.
    """

    asker: Asker
    sized_pages: float = SIZED_PAGES
    is_coarse: bool = False
    too_dear: str | None = None
    step: float | None = None

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
        way = self.way()
        if way is not None:
            if tile.expected is None and not tile.at_least:
                tile.at_least = yield from self.gauge(tile)
            most = self._most_at_once() if self._is_cheap(way) else self.target(0) * 1.15
            if (tile.expected or tile.at_least) <= most:
                tile = yield from self.page(tile, answer, is_last_resort=False)
        return tile, answer

    def target(self, repeated: int, *, is_first: bool = False) -> float:
        """Give how many new rows a window is meant to hold, if so many come again with each.

        The first of a chain proves nothing unless it is longer than all that dates may be off by, so where calls are
        scarce, it is as long as they suffice for.
        """
        fits, way = self.asker.fits, self.way()
        if way is None:
            return max(fits * FILL - repeated, fits * LEAST_FILL)
        pages = min(LINKED_PAGES, LINKED_ROWS / fits) if way == "linked" else self.sized_pages
        pages += FLOOR_WORTH * repeated / fits
        if self.answers.start_unit == "pages" and self.asker.can_overlap:
            pages = min(pages, OVERLAPPING_PAGES)
        affordable = max(self.left - CALLS_KEPT, 0) * self._step(way) - repeated
        wanted = affordable if is_first and self.is_scarce else fits * (pages - 0.5)
        return max(min(wanted, affordable), fits * FILL)

    @property
    def is_scarce(self) -> bool:
        """Whether so few calls are left that none may be spent on what does not come to its end."""
        return self.left < SCARCE

    def _step(self, way: Way) -> float:
        """Give the new rows of a page."""
        fits = self.asker.fits
        return max(fits - 1.0 if way == "linked" else self.step or fits - max(fits / 8, 2.0), 1.0)

    @property
    def left(self) -> int:
        """The calls that the day has left for what is asked."""
        return self.asker.client.ledger.left(self.asker.purpose)

    def gauge(self, tile: Tile) -> Generator[Answer, None, int]:
        """Give about how many rows a list without a count has, by some calls if they can be spared."""
        if self.left < LEARNING_CALLS:
            return 2 * max(tile.size, 1)
        return 2 * (yield from gauge(self.asker, tile))

    def way(self) -> Way | None:
        """Say by which proof a window can be paged, if by any."""
        if self.answers.start_unit not in {"rows", "pages"}:
            return None
        if self.answers.is_ordered and not self.is_coarse and self.asker.can_overlap:
            return "linked"
        return "sized" if self.sized_pages > FEWEST_PAGES else None

    def _most_at_once(self) -> float:
        """Give how many rows are paged as one window: what half of the calls that are left bring, in so many pages."""
        return min((self.asker.fits - 1) * min(self.left / 2, MOST_LINKED - TAILS), LINKED_ROWS)

    def _is_cheap(self, way: Way) -> bool:
        """Say whether a further page costs one call however long the list is."""
        return way == "linked" and self.answers.start_unit == "rows"

    def _learn_paging(self, tile: Tile, first: Answer) -> Generator[Answer, None, Answer]:
        """Learn what paging needs to know, if calls can be spared; give a list's first page as it is sorted then."""
        is_told = tile.expected is not None or self.answers.is_ordered
        if self.left < LEARNING_CALLS / (2 if is_told else 1):
            return first
        yield from find_unit(self.asker, tile, first)
        return first

    def page(self, tile: Tile, first: Answer, *, is_last_resort: bool) -> Generator[Answer, None, Tile]:
        """Page through a window that does not fit in an answer, if that can be proved; else it is still MORE."""
        first = yield from self._learn_paging(tile, first)
        while first.question.sort != self.answers.sort:
            first = yield from self.asker.ask(tile.asked)
        way = self.way()
        if way is None and is_last_resort and self.answers.start_unit != "ignored":
            way = "sized"
        if way is None:
            return (yield from self._ask_for_more(tile)) if is_last_resort else tile
        ids, before = set(tile.ids), tile.told
        is_known = tile.expected is not None
        if not is_known and self.is_scarce and self.answers.start_unit in {"rows", "pages"}:
            is_known, tile.at_least = True, (yield from gauge_closely(self.asker, tile))
        needed = self._calls_of(tile.expected or tile.at_least, way)
        if needed > self.left:
            return self._not_begun(tile, needed, is_last_resort=is_last_resort)
        at_most = 1 + (self.left if is_known or is_last_resort else max(self.left // 2, 1))
        paging = (
            Linking(self.asker, tile, at_most=min(at_most, MOST_LINKED))
            if way == "linked"
            else Sizing(self.asker, tile, at_most=min(at_most, MOST_CALLS))
        )
        calls = len(self.asker.call_ids)
        paged = yield from paging.run(first)
        is_proven = paged.verdict is Verdict.PROVEN
        if not is_proven and paged.ids <= ids and len(self.asker.call_ids) > calls:
            self.answers.doubt(["start_unit"], f"paging brought nothing after the first page ({paged.told})")
        if isinstance(paging, Linking):
            self.is_coarse = self.is_coarse or paging.is_coarse
        else:
            self.step = max(tile.size / max(paging.calls, 1), 1.0)
            self._note_sizing(paging.calls * self.asker.fits > DEAR * tile.size, is_proven=is_proven)
        if is_proven or is_last_resort:
            return paged
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
            self.answers.page_cap or MOST_ASKED, MOST_ASKED
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

    def _calls_of(self, rows: int, way: Way) -> int:
        """Give the calls that paging a list takes beyond its first page."""
        return max(ceil((rows - self.asker.fits) / self._step(way)), 0)

    def _not_begun(self, tile: Tile, needed: int, *, is_last_resort: bool) -> Tile:
        """Leave a window that the calls which are left do not suffice for: to be cut, for another day, or for good."""
        purpose = self.asker.purpose
        told = f"{tile.told}; {needed} further calls are needed, {self.left} are left"
        if not is_last_resort:
            return tile.judged(Verdict.MORE, told)
        granted = self.asker.client.ledger.granted(purpose)
        if needed < granted:
            raise CallsUsedUpError(
                f"The window from {tile.asked.start:%Y-%m-%d %H:%M:%S} to {tile.asked.end:%Y-%m-%d %H:%M:%S} UTC takes "
                f"{needed} further calls, {self.left} are left, and it cannot be cut. The next run begins there."
            )
        self.too_dear = too_dear(f"takes about {needed + 1} calls", granted, self.asker)
        return tile.judged(Verdict.FAILED, f"{tile.told}; {self.too_dear}")

    def _note_sizing(self, is_dear: bool, *, is_proven: bool) -> None:
        pages = self.sized_pages / 2 if not is_proven else self.sized_pages * 0.75 if is_dear else self.sized_pages + 1
        self.sized_pages = min(max(pages, FEWEST_PAGES), MOST_PAGES)

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
