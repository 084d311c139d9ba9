"""Covering a span: whole where it fits in an answer or can be paged with proof, else cut in time.

A window that fits in one answer is one instant's view of the list and cannot drift, so cutting is the way that always
works, and paging the way that is cheaper where the vendor grants an order or holds still. Each window is sized by what
the last ones held. Windows that nothing confirms wait until the list over all of them is measured to be as long as what
came.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeAlias

from progress_pipeline.errors import (
    CallsUsedUpError,
    LimitRefusedError,
    UnreadableAnswerError,
    VendorUnavailableError,
)
from progress_pipeline.vendor.answers import Answers
from progress_pipeline.vendor.asker import Asker
from progress_pipeline.vendor.attempts import WindowAttempt
from progress_pipeline.vendor.bringing import Bringer
from progress_pipeline.vendor.claims import Claims
from progress_pipeline.vendor.concluding import Conclusions
from progress_pipeline.vendor.cutting import SHORTEST, Cutter
from progress_pipeline.vendor.date_probe import learn_dates
from progress_pipeline.vendor.dates import happened_at
from progress_pipeline.vendor.exchange import Answer
from progress_pipeline.vendor.forecast import Forecast
from progress_pipeline.vendor.measuring import Length, measure
from progress_pipeline.vendor.planning import Ask
from progress_pipeline.vendor.resuming import Resuming
from progress_pipeline.vendor.tiles import Tile, Verdict
from progress_pipeline.vendor.windows import Window

Event: TypeAlias = Answer | WindowAttempt
Sweeping: TypeAlias = Generator[Event, None, None]

UNION = 16
"""So many windows that nothing confirms are measured as one."""
ALMOST_ALL = 1.15
JOINT_WORTH = 4
"""A window is not cut to less than this part of what it overlaps its neighbour by."""
CALLS_TO_CONFIRM = 3
"""What measuring an empty list takes, and any list whose `start` is not known to count rows."""
IN_VAIN = 40
"""After so many windows in a row that came to nothing, the rest of a span is left for another day."""


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
    bringer: Bringer = field(init=False)
    cutter: Cutter = field(init=False)
    resuming: Resuming = field(init=False)
    conclusions: Conclusions = field(init=False)
    pending: list[Tile] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    repeated: int = 0
    failures: int = 0
    in_vain: int = 0

    def __post_init__(self) -> None:
        self.bringer = Bringer(self.asker)
        self.cutter = Cutter(newest_first=self.newest_first, longest=self._longest())
        self.resuming = Resuming(self.asker, self.ask.window, self.cutter)
        self.conclusions = Conclusions(self.asker, self.ask, self.resuming)

    @property
    def answers(self) -> Answers:
        """What is known of the vendor."""
        return self.asker.answers

    @property
    def claims(self) -> Claims:
        """What is proven so far."""
        return self.conclusions.claims

    def run(self) -> Sweeping:
        """Cover the span, or say of its parts why they are not covered; if it stops, keep where."""
        try:
            yield from self._run()
        except (CallsUsedUpError, LimitRefusedError):
            self.resuming.keep(self.claims)
            raise

    def _run(self) -> Sweeping:
        asked = self.claims.asked
        self.resuming.begin(asked)
        if self.resuming.stop is not None and self.bringer.ways.is_scarce:
            self.forecast = Forecast()  # what is known of a short window, asked wider than claimed, tells too much
        if (
            self.resuming.stop is None
            and self._may_ask_at_once(asked)
            and (  # a stop says that the whole was too much
                self.forecast.is_blind or self.forecast.rows(asked) <= self.asker.fits * ALMOST_ALL
            )
        ):
            tile, answer = yield from self.bringer.ask(Tile(asked, asked))
            tile, answer = yield from self.bringer.settle(tile, answer)
            if tile.verdict is Verdict.PROVEN:
                if self.ask.expected_rows is not None and answer.page.size < tile.size:
                    yield from self._learn_dates(answer)
                yield from self.conclusions.claim([tile])
                return
            yield from self._learn_dates(answer)
            rows = tile.expected or tile.at_least or (yield from self.bringer.gauge(tile))
            self.forecast.learn(asked, rows, happened_at(answer.page.records, self.answers.filter_dates))
        yield from self._cut(self.claims.asked)

    def _longest(self) -> timedelta | None:
        """Give how long a window may be, by what the vendor takes, less what it overlaps its neighbour by."""
        longest = self.answers.longest_range
        return None if longest is None else longest - self.answers.slack.joint

    def _may_ask_at_once(self, asked: Window) -> bool:
        return self.answers.longest_range is None or asked.duration <= self.answers.longest_range

    def _begin(self, left: Window) -> Generator[Event, None, tuple[Window, Tile]]:
        """Bring in the next window, as short as earlier runs left it; pass over it if no day suffices for it."""
        if self.claims.chain is None and self.cutter.at_most is None:
            self.resuming.begin_chain(left, self.claims.shortest)
        target = self.bringer.ways.target(self.repeated, is_first=self.claims.chain is None)
        part = self.cutter.part(left, self.forecast, target, ALMOST_ALL)
        self.resuming.trying = part
        why = self.resuming.pass_over()
        if why is not None:
            return part, Tile(part, part).judged(Verdict.FAILED, why)
        tile = yield from self._bring(part)
        if self.bringer.too_dear is not None:
            self.resuming.give_up(part, self.claims, self.bringer.too_dear)
            self.bringer.too_dear = None
        return part, tile

    def _learn_dates(self, answer: Answer) -> Sweeping:
        """Find out how dates are read, since the less is known of that, the more windows overlap."""
        if not self.ask.search:
            before = self.answers.slack
            yield from learn_dates(self.asker, answer)
            if self.claims.chain is None and self.answers.slack != before:
                self.conclusions.begin()

    def _cut(self, left: Window, at_most: timedelta | None = None) -> Sweeping:
        """Cover a span, window by window from one end."""
        self.cutter.at_most = at_most
        while True:
            part, tile = yield from self._begin(left)
            self.in_vain = self.in_vain + 1 if tile.verdict in {Verdict.MORE, Verdict.FAILED} else 0
            if tile.verdict is Verdict.MORE:
                if self.in_vain < IN_VAIN:
                    continue
                part = left
                tile.window = left
                tile.judged(Verdict.FAILED, f"given up for today: {tile.told}")
            yield from self._settle(tile)
            is_last = self.cutter.is_last(left, part)
            at_once = is_last or self.resuming.stop is not None or self.bringer.ways.left <= CALLS_TO_CONFIRM
            if at_once or len(self.pending) >= UNION:
                yield from self._confirm_pending()
            if is_last:
                return
            left = self.cutter.rest(left, part)
            if self.claims.chain is None and not self.pending and left.duration <= self.claims.shortest:
                return

    def _settle(self, tile: Tile) -> Sweeping:
        """Claim what is proven, give up what failed, and let wait what nothing confirms."""
        if tile.verdict is Verdict.UNSURE:
            self.pending.append(tile)
            return
        yield from self._confirm_pending()
        yield from self.conclusions.conclude(tile)

    def _bring(self, part: Window) -> Generator[Event, None, Tile]:
        """Bring a window of the span in; the first that the vendor fails is given up, the second ends the work."""
        slack = self.answers.slack
        joint = slack.joint if part.start > self.claims.asked.start else timedelta()
        self.cutter.shortest, self.cutter.longest = max(SHORTEST, slack.joint / JOINT_WORTH), self._longest()
        tile = Tile(part, Window(part.start - joint, part.end))
        try:
            tile, answer = yield from self.bringer.ask(tile)
            instants = happened_at(answer.page.records, self.answers.filter_dates)
            is_last_resort = tile.verdict is Verdict.MORE and (
                self.cutter.is_at_end(part, tile.ids, tile.expected)
                or (self.resuming.is_least(self.claims) and self.bringer.ways.way() == "linked")
            )
            if tile.verdict is Verdict.MORE:
                yield from self._learn_dates(answer)
                tile = yield from self.bringer.page(tile, answer, is_last_resort=is_last_resort)
        except (VendorUnavailableError, UnreadableAnswerError) as error:
            self.failures += 1
            if self.failures > 1:
                raise
            return tile.judged(Verdict.FAILED, str(error))
        self.failures = 0
        again = len(tile.ids & self.seen)
        if tile.verdict is Verdict.MORE:
            self.cutter.narrow(part, instants, can_isolate=self.answers.get("grain") == "second")
            self.forecast.learn(part, max(tile.expected or tile.at_least or tile.size * 1.3, 1.0), instants)
        else:
            self.cutter.at_most = None
            self.forecast.learn(part, max(tile.size - again, 0), instants)
            self.repeated, self.seen = again, tile.ids
        return tile

    def _confirm_pending(self) -> Sweeping:
        tiles, self.pending = self.pending, []
        if tiles:
            yield from self._confirm(tiles)

    def _confirm(self, tiles: list[Tile]) -> Sweeping:
        """Measure some windows as one; where it is not as long as what came, its halves, and in the end each again."""
        if len(tiles) == 1:
            tile = yield from self.bringer.measure(tiles[0])
            if tile.verdict is Verdict.MORE and not self.cutter.is_at_end(tile.window, tile.ids):
                yield from self._cut(tile.window, tile.window.duration / 2)
            else:
                yield from self.conclusions.conclude(tile)
            return
        asked = Window(min(tile.asked.start for tile in tiles), max(tile.asked.end for tile in tiles))
        if self.answers.start_unit != "ignored" and self._may_ask_at_once(asked):
            ids = set().union(*(tile.ids for tile in tiles))
            nameless, at_most = sum(tile.nameless for tile in tiles), max(tile.size for tile in tiles)
            may_be_cut_off = at_most >= self.answers.page_limit
            measured = yield from measure(self.asker, asked, ids, nameless, may_be_cut_off=may_be_cut_off)
            if measured.length is Length.EQUAL:
                yield from self.conclusions.claim([tile.judged(Verdict.PROVEN, measured.told) for tile in tiles])
                return
        middle = len(tiles) // 2
        yield from self._confirm(tiles[:middle])
        yield from self._confirm(tiles[middle:])


def make_sweep(asker: Asker, ask: Ask, *, newest_first: bool = False) -> Sweep:
    """Make the covering of a span.

    Args:
        asker: Asks for it.
        ask: What is to be covered, and how many rows it is expected to hold.
        newest_first: Which end it begins at, where it is cut.
    """
    hours = ask.window.duration / timedelta(hours=1)
    return Sweep(asker, ask, Forecast(None if ask.expected_rows is None else ask.expected_rows / hours), newest_first)
