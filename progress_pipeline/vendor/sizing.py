"""Paging without a total order: until as many distinct transactions came as the list is long.

Every row that came was in the list; in a span that is past none can have come in since, so as many as the list is long
are all of them. How long it is, `count` says, or its end (`measuring`). Rows of equal names may stand in another
order at each call, so each page begins before the rows that share the last one's name. If rows slipped by all the same,
because the list moved, it is paged again until they have come.

A row can leave all the same: a vendor that lists the newest transaction of a registration alone drops one when a later
one appears late. So transactions of one registration count as one, until an answer held two of them at once.
"""

from collections.abc import Generator
from dataclasses import dataclass, field

from progress_pipeline.vendor.answers import AN_UPDATE_EACH
from progress_pipeline.vendor.asker import Asker
from progress_pipeline.vendor.exchange import Answer
from progress_pipeline.vendor.measuring import Length, Measured, measure
from progress_pipeline.vendor.tiles import Tile, Verdict

MOST_CALLS = 100
PATIENCE, MORE = 2, 4
"""A window may take so many times the calls of its first pass, and some more; as much again while new rows come."""
MOST_PASSES = 6
STALLS = 3
MOVED = 3
"""Large pages overlap by so many rows at least, for one learner's rows that moved on from the pages that were read."""
GROUPED = ("last_name", "first_name", "registration")
"""What lists are sorted by, where it is not by transaction."""


@dataclass
class Sizing:
    """The paging of one window.

    Attributes:
        asker: Asks.
        tile: The window.
        calls: Answers taken.
        reached: Rows of the list passed over.
        nameless: Where things without a transaction stand.
        announced: The last `count`, where it is the total.
        at_most: So many answers are taken in a pass at most.
        is_scarce: Whether few calls are left; then pages overlap only once that was seen to be needed.
        by_registration: The transactions that came, by registration.
        lists_all: Whether one answer held several transactions of a registration.
        may_be_cut_off: Whether what was taken for the last page may have been cut off by a silent cap.
    """

    asker: Asker
    tile: Tile
    at_most: int = MOST_CALLS
    is_scarce: bool = False
    calls: int = 0
    reached: int = 0
    nameless: set[int] = field(default_factory=set)
    announced: int | None = None
    by_registration: dict[str, set[str]] = field(default_factory=dict)
    lists_all: bool = False
    may_be_cut_off: bool = False

    def run(self, first: Answer) -> Generator[Answer, None, Tile]:
        """Page to the end, beginning with a first answer, or say why that cannot be proved."""
        self.tile.ids = set()
        told = yield from self._page_on(first)
        a_pass = self.calls
        at_most = PATIENCE * a_pass + MORE
        while told is None:
            self.tile.nameless = len(self.nameless)
            measured = yield from self._measure()
            if measured.length is Length.EQUAL:
                return self.tile.judged(
                    Verdict.PROVEN, f"{measured.told}; {self.calls} answers", self.tile.size - self._superseded
                )
            if measured.length is not Length.LONGER or self.calls >= at_most:
                told = f"the list moves: {measured.told}"
            else:
                self.reached, before = 0, self.tile.size - self._superseded
                again = yield from self.asker.ask(self.tile.asked)
                told = yield from self._page_on(again, before + measured.missing)
                if len(self.tile.ids) + len(self.nameless) - self._superseded > before:
                    at_most = min(at_most + a_pass, MOST_PASSES * a_pass + MORE)
        return self.tile.judged(Verdict.FAILED, told)

    def _page_on(self, answer: Answer, length: int | None = None) -> Generator[Answer, None, str | None]:
        """Page from an answer to the end, or until as many rows came as are known; give why that is not possible."""
        farthest, stalls = -1, 0
        while self._take(answer) and (length is None or self.tile.size - self._superseded < length):
            stalls = 0 if self.reached > farthest else stalls + 1
            farthest = max(farthest, self.reached)
            if self.calls >= self.at_most or stalls >= STALLS:
                return f"paging does not go on from row {self.reached}"
            overlap = _shared(answer) if self.asker.can_overlap and (length is not None or not self.is_scarce) else 0
            following = max(self.reached - overlap, self.asker.place(answer) + 1)
            answer = yield from self.asker.ask_from(self.tile.asked, following)
        return None

    def _take(self, answer: Answer) -> bool:
        """Take a page, and say whether there is a further one."""
        start = self._note(answer)
        self.nameless.update(start + reject.position for reject in answer.page.rejects if reject.position is not None)
        self.reached = start + answer.page.size
        if answer.page.size == 0:
            return False
        if self.announced is not None:
            return self.reached < self.announced
        is_full, answers = self.asker.is_full(answer), self.asker.answers
        self.may_be_cut_off |= not is_full and answers.page_cap is None and answer.page.size >= answers.page_limit
        return is_full

    def _note(self, answer: Answer) -> int:
        """Take an answer's rows and `count`, and give where in the list it begins."""
        self.calls += 1
        at_once: dict[str, set[str]] = {}
        registrations = answer.page.records["registration"].to_pylist()
        for name, registration in zip(self.tile.take(answer), registrations, strict=True):
            if registration:
                at_once.setdefault(registration, set()).add(name)
                self.by_registration.setdefault(registration, set()).add(name)
        self.lists_all |= any(len(names) > 1 for names in at_once.values())
        if self.asker.answers.count_is_total and answer.page.count is not None:
            self.announced = answer.page.count
        return self.asker.place(answer)

    @property
    def _superseded(self) -> int:
        """Transactions that came and may have left the list since."""
        if self.lists_all or self.asker.answers.get("transactions") == AN_UPDATE_EACH:
            return 0
        return sum(len(names) - 1 for names in self.by_registration.values())

    def _measure(self) -> Generator[Answer, None, Measured]:
        if self.announced is None:
            tile, nameless = self.tile, self.tile.nameless - self._superseded
            return (yield from measure(self.asker, tile.asked, tile.ids, nameless, may_be_cut_off=self.may_be_cut_off))
        size, count = self.tile.size - self._superseded, self.announced
        length = Length.EQUAL if size == count else Length.LONGER if size < count else Length.SHORTER
        return Measured(length, f"steady: {size} distinct rows came of {count} announced", count - size)


def _shared(answer: Answer) -> int:
    """Give how many rows at the end of a page share a name with the last one, and some more."""
    records = answer.page.records
    shared = 0
    for column in GROUPED:
        names = [name.casefold() if name else name for name in records[column].to_pylist()]
        run = next((index for index, name in enumerate(reversed(names)) if name != names[-1]), len(names))
        shared = max(shared, run)
    overlap = max(shared + 1, min(MOVED, int(records.num_rows) // 10)) + len(answer.page.rejects)
    return min(overlap, max(int(records.num_rows) // 2, 1))
