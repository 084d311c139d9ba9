"""Covering a span: whole where it fits in an answer or can be paged with proof, else cut in time into windows that fit.

A window that fits in one answer is one instant's view of the list and cannot drift, so cutting is the way that always
works, and paging the way that is cheaper where the vendor grants an order or a count. Each window is sized by what
the last ones held. Windows that no count confirms wait until the list over all of them is measured to be as long as
what came.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from progress_pipeline.errors import UnreadableAnswerError, VendorUnavailableError
from progress_pipeline.vendor.answers import CHANGED, COMPLETED, STARTED, Answers
from progress_pipeline.vendor.asker import Asker
from progress_pipeline.vendor.attempts import WindowAttempt
from progress_pipeline.vendor.claims import Claims
from progress_pipeline.vendor.client import Answer
from progress_pipeline.vendor.dates import seconds
from progress_pipeline.vendor.forecast import Forecast
from progress_pipeline.vendor.linking import Linking
from progress_pipeline.vendor.measuring import Length, measure
from progress_pipeline.vendor.paging import ask_whole
from progress_pipeline.vendor.planning import Ask
from progress_pipeline.vendor.probe import learn_dates
from progress_pipeline.vendor.sizing import Sizing
from progress_pipeline.vendor.starting import find_unit, gauge
from progress_pipeline.vendor.tiles import Tile, Verdict
from progress_pipeline.vendor.windows import Window

Event: TypeAlias = Answer | WindowAttempt

SHORTEST = timedelta(seconds=1)
FILL = 0.8
LINKED_PAGES, PAGED_PAGES = 60, 10
SIZED_PAGES = 8
FEWEST_PAGES, MOST_PAGES = 1.0, 12.0
DEAR = 1.7
"""So many times the calls that a still list would take make the next windows shorter."""
CALLS_KEPT = 2
FLOOR_WORTH = 3
"""Rows that come with every window (those without a date, say) are paid with each; so many times as many new ones."""
UNION = 16
ALMOST_ALL = 1.15
STUCK = 3
RECENT = timedelta(days=7)


@dataclass
class Sweep:
    """The covering of one span.

    Attributes:
        asker: Asks.
        ask: What is to be covered.
        forecast: How many rows to expect.
        newest_first: Which end a span that is cut begins at.
    """

    asker: Asker
    ask: Ask
    forecast: Forecast
    newest_first: bool = False
    claims: Claims = field(init=False)
    pending: list[Tile] = field(default_factory=list)
    sized_pages: float = SIZED_PAGES
    repeated: int = 0
    seen: set[str] = field(default_factory=set)
    last_full: set[str] = field(default_factory=set)
    stuck: int = 0
    gauged: int = 0
    failures: int = 0

    @property
    def answers(self) -> Answers:
        """What is known of the vendor."""
        return self.asker.answers

    def run(self) -> Generator[Event, None, None]:
        """Cover the span, or say of its parts why they are not covered."""
        self.claims = Claims(self.ask.window, self.answers.slack)
        asked = self.claims.asked
        fits = self.asker.fits
        if self.forecast.is_blind or self.forecast.rows(asked) <= fits * ALMOST_ALL:
            tile, answer = yield from ask_whole(self.asker, Tile(asked, asked))
            tile = yield from self._settle(tile, answer)
            if tile.verdict is Verdict.PROVEN:
                yield from self._claim([tile])
                return
            yield from self._prepare(tile, answer)
        yield from self._cut(self.claims.asked)

    def _prepare(self, tile: Tile, answer: Answer) -> Generator[Event, None, None]:
        """Find out what cutting needs to know: how dates are read, and how much there is."""
        if self.answers.get("grain") is None and not self.ask.search:
            yield from learn_dates(self.asker, answer)
            self.claims = Claims(self.ask.window, self.answers.slack)
        rows = tile.expected or 2 * (self.gauged or (yield from gauge(self.asker, tile)))
        self.forecast.learn(tile.asked, rows, self._instants(answer))

    def _cut(self, left: Window, at_most: timedelta | None = None) -> Generator[Event, None, None]:
        """Cover a span, window by window from one end."""
        while True:
            part = self._next_part(left, at_most)
            tile = yield from self._bring(part)
            if tile.verdict is Verdict.MORE and part.duration > SHORTEST and self.stuck < STUCK:
                at_most = max(part.duration / 2, SHORTEST)
                continue
            at_most = None
            if tile.verdict is Verdict.UNSURE:
                self.pending.append(tile)
            else:
                yield from self._confirm_pending()
                yield from self._claim([tile]) if tile.verdict is Verdict.PROVEN else self._give_up(tile)
            is_last = part.start == left.start if self.newest_first else part.end == left.end
            if len(self.pending) >= UNION or is_last or self.asker.client.ledger.left(self.asker.purpose) <= CALLS_KEPT:
                yield from self._confirm_pending()
            if is_last:
                return
            left = Window(left.start, part.start) if self.newest_first else Window(part.end, left.end)

    def _next_part(self, left: Window, at_most: timedelta | None) -> Window:
        target = self._target()
        part = left
        if not self.forecast.is_blind and self.forecast.rows(left) > target * ALMOST_ALL:
            part = self.forecast.cut(left, target, from_end=self.newest_first)
        if at_most is not None and part.duration > at_most:
            part = (
                Window(left.end - at_most, left.end) if self.newest_first else Window(left.start, left.start + at_most)
            )
        return part

    def _target(self) -> float:
        """Give how many new rows a window is meant to hold."""
        fits, kind = self.asker.fits, self._paging_kind()
        pages = LINKED_PAGES if self._is_cheap(kind) else PAGED_PAGES if kind == "linked" else 1.0
        pages = self.sized_pages if kind == "sized" else pages
        pages += FLOOR_WORTH * self.repeated / fits if kind else 0.0
        pages = min(pages, self.asker.client.ledger.left(self.asker.purpose) - CALLS_KEPT)
        return max(fits * pages - fits / 2 if pages > 1 else fits * FILL - self.repeated, fits * 0.1)

    def _is_cheap(self, kind: str | None) -> bool:
        """Say whether a further page costs one call however long the list is; overlapping pages shrink, one by one."""
        return kind == "linked" and self.answers.start_unit == "rows"

    def _paging_kind(self) -> str | None:
        """Say by which proof a window can be paged: linked, sized or none."""
        unit = self.answers.start_unit
        if self.answers.is_ordered and unit in {"rows", "pages"}:
            return "linked"
        if unit == "ignored" or self.sized_pages <= FEWEST_PAGES:
            return None
        return None if unit is None else "sized"

    def _bring(self, part: Window) -> Generator[Event, None, Tile]:
        """Ask for a window, in one answer or in pages."""
        joint = self.answers.slack.joint if part.start > self.claims.asked.start else timedelta()
        tile = Tile(part, Window(part.start - joint, part.end))
        try:
            tile, answer = yield from ask_whole(self.asker, tile)
            self._note_full(tile)
            if tile.verdict is Verdict.MORE:
                tile = yield from self._page(tile, answer)
        except (VendorUnavailableError, UnreadableAnswerError) as error:
            self.failures += 1
            if self.failures > 1:
                raise
            return tile.judged(Verdict.FAILED, str(error))
        self.failures = 0
        rows = tile.size if tile.verdict is not Verdict.MORE else max(tile.expected or 0, int(tile.size * 1.3))
        again = len(tile.ids & self.seen)
        self.forecast.learn(part, max(rows - again, 0), self._instants(answer))
        if tile.verdict in {Verdict.PROVEN, Verdict.UNSURE}:
            self.repeated, self.seen = again, tile.ids
        return tile

    def _note_full(self, tile: Tile) -> None:
        """Notice when ever shorter windows bring the same rows: then cutting is of no use."""
        if tile.verdict is not Verdict.MORE:
            self.stuck, self.last_full = 0, set()
            return
        self.stuck = self.stuck + 1 if tile.ids == self.last_full else 0
        self.last_full = tile.ids

    def _page(self, tile: Tile, first: Answer) -> Generator[Event, None, Tile]:
        """Page through a window that does not fit in an answer, if that can be proved; else it is still MORE."""
        first = yield from self._sorted(tile, first)
        yield from find_unit(self.asker, tile, first)
        kind = self._paging_kind()
        is_last_resort = tile.window.duration <= SHORTEST or self.stuck >= STUCK
        if kind is None and is_last_resort and self.answers.start_unit != "ignored":
            kind = "sized"
        if kind is None:
            told = f"{tile.told}, and no way to page it is proved"
            return tile.judged(Verdict.FAILED, told) if is_last_resort else tile
        ids, before = set(tile.ids), tile.told
        paging = (Linking if kind == "linked" else Sizing)(self.asker, tile)
        paged = yield from paging.run(first)
        is_proven = paged.verdict is Verdict.PROVEN
        if isinstance(paging, Sizing):
            dear = paging.calls * self.asker.fits > DEAR * tile.size
            pages = self.sized_pages / 2 if not is_proven else self.sized_pages * 0.75 if dear else self.sized_pages + 1
            self.sized_pages = min(max(pages, FEWEST_PAGES), MOST_PAGES)
        if is_proven or is_last_resort:
            return paged
        tile.ids = ids
        return tile.judged(Verdict.MORE, f"{before}; {paged.told}")

    def _sorted(self, tile: Tile, first: Answer) -> Generator[Event, None, Answer]:
        """Give a list's first page as it is sorted now, after what the page showed of sorting."""
        while first.question.sort != self.answers.sort:
            first = yield from self.asker.ask(tile.asked)
        return first

    def _settle(self, tile: Tile, answer: Answer) -> Generator[Event, None, Tile]:
        """Settle a span that was asked whole: measure it, or page it if that is not too long."""
        if tile.verdict is Verdict.UNSURE:
            return (yield from self._measure(tile))
        if tile.verdict is Verdict.MORE:
            answer = yield from self._sorted(tile, answer)
            yield from find_unit(self.asker, tile, answer)
        fits, kind = self.asker.fits, self._paging_kind()
        if tile.verdict is Verdict.MORE and kind is not None:
            if tile.expected is None:
                self.gauged = yield from gauge(self.asker, tile)
            affordable = self.asker.client.ledger.left(self.asker.purpose) // 2 * fits if self._is_cheap(kind) else 0
            if (tile.expected or self.gauged) <= max(self._target() * ALMOST_ALL, affordable):
                return (yield from self._page(tile, answer))
        return tile

    def _measure(self, tile: Tile) -> Generator[Event, None, Tile]:
        """Measure one window, and ask it again if it is not what came."""
        for is_again in (False, True):
            measured = yield from measure(self.asker, tile.asked, tile.ids, tile.nameless)
            if measured.length is Length.EQUAL:
                return tile.judged(Verdict.PROVEN, measured.told, tile.size)
            if is_again:
                break
            tile, _ = yield from ask_whole(self.asker, tile)
            if tile.verdict is not Verdict.UNSURE:
                return tile
        return tile.judged(Verdict.MORE if measured.length is Length.LONGER else Verdict.FAILED, measured.told)

    def _confirm_pending(self) -> Generator[Event, None, None]:
        tiles, self.pending = self.pending, []
        if tiles:
            yield from self._confirm(sorted(tiles, key=lambda tile: tile.window.start, reverse=self.newest_first))

    def _confirm(self, tiles: list[Tile]) -> Generator[Event, None, None]:
        """Measure some windows as one; where it is not as long as what came, its halves, and in the end each again."""
        if len(tiles) == 1:
            tile = yield from self._measure(tiles[0])
            if tile.verdict is Verdict.MORE and tile.window.duration > SHORTEST:
                yield from self._cut(tile.window, at_most=tile.window.duration / 2)
            else:
                yield from self._claim([tile]) if tile.verdict is Verdict.PROVEN else self._give_up(tile)
            return
        if self.answers.start_unit != "ignored":
            asked = Window(min(tile.asked.start for tile in tiles), max(tile.asked.end for tile in tiles))
            ids = set().union(*(tile.ids for tile in tiles))
            measured = yield from measure(self.asker, asked, ids, sum(tile.nameless for tile in tiles))
            if measured.length is Length.EQUAL:
                yield from self._claim([tile.judged(Verdict.PROVEN, measured.told) for tile in tiles])
                return
        middle = len(tiles) // 2
        yield from self._confirm(tiles[:middle])
        yield from self._confirm(tiles[middle:])

    def _claim(self, tiles: list[Tile]) -> Generator[Event, None, None]:
        """Say what is proven by windows that are."""
        whole = Window(min(tile.window.start for tile in tiles), max(tile.window.end for tile in tiles))
        until = self.asker.first_at[1] if self.asker.first_at else self.asker.client.vendor_now()
        claimed = self.claims.add(whole, until)
        if claimed is None:
            return
        yield self._attempt(claimed, tiles, proof=tiles[0].told)

    def _give_up(self, tile: Tile) -> Generator[Event, None, None]:
        """Say why a window is not proven."""
        about = self.claims.within(tile.window)
        if about is not None:
            yield self._attempt(about, [tile], reason=tile.told)

    def _attempt(
        self, window: Window, tiles: list[Tile], *, proof: str | None = None, reason: str | None = None
    ) -> WindowAttempt:
        asker = self.asker
        attempt = WindowAttempt.of(
            self.ask.purpose,
            window,
            search=self.ask.search,
            attempted_at=asker.first_at[0] if asker.first_at else asker.client.clock(),
            call_ids=asker.call_ids,
            expected_rows=tiles[0].expected if len(tiles) == 1 else None,
            distinct_rows=len(set().union(*(tile.ids for tile in tiles))),
            proof=proof,
            reason=reason,
        )
        asker.begin()
        return attempt

    def _instants(self, answer: Answer) -> NDArray[np.float64]:
        """Give when the rows of an answer happened, as far as the filter's date can be guessed and read."""
        records, alive = answer.page.records, self.answers.filter_dates
        started, completed = seconds(records["date_started"]), seconds(records["date_completed"])
        if alive == {STARTED}:
            return started
        if alive == {COMPLETED}:
            return completed
        return np.where(np.isfinite(completed), completed, started) if CHANGED in alive else started


def sweep(
    asker: Asker, ask: Ask, *, expected_rows: float | None = None, newest_first: bool = False
) -> Generator[Event, None, None]:
    """Cover a span.

    Args:
        asker: Asks for it.
        ask: What is to be covered.
        expected_rows: Rows that it is expected to hold, where that is known.
        newest_first: Which end it begins at, where it is cut.
    """
    hours = ask.window.duration / timedelta(hours=1)
    forecast = Forecast(None if expected_rows is None else expected_rows / hours)
    yield from Sweep(asker, ask, forecast, newest_first).run()
