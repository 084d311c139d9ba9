"""Paging under an order by a key that never changes, each page beginning before the last rows of the ones before.

The key is transactionId, or registration where the vendor sorts by that: then rows of one registration stand together
in any order. Each page is a slice of one ordered list, and a slice leaves nothing out between its ends. A page that
begins with a row of a smaller key than the last one holds all rows of the last one's key, and goes on from there
without a gap, however rows come and go elsewhere. The end is reached with the last row that `count` announces;
without one, where nothing comes after the last row.
"""

from collections.abc import Generator
from dataclasses import dataclass, field

from progress_pipeline.vendor.answers import BY_ID
from progress_pipeline.vendor.asker import Asker
from progress_pipeline.vendor.exchange import Answer
from progress_pipeline.vendor.inference import keys_of
from progress_pipeline.vendor.measuring import confirm_count
from progress_pipeline.vendor.tiles import Tile, Verdict

STEPS_BACK = 4
"""So often a row that is not found again is sought further back."""
MOST_PAGES = 200
TAILS = 4
"""The end is believed when nothing came after the last row twice, or four times where the page began elsewhere; once
more than that of a vendor whose calls failed of late."""


@dataclass
class Linking:
    """The paging of one window.

    Attributes:
        asker: Asks.
        tile: The window.
        pages: Pages taken.
        keys: The keys that came, each of which may have further rows if it is the last; less those that are the tile's
            own `ids`.
        last_key: The key of the last row.
        resume: Where the next page is to begin: at the last row before those of the last key, or at the last row itself
            where a key has one row.
        back: How far before that the next page begins.
        steps: How often it was sought further back.
        tails: How often nothing came after the last row.
        is_coarse: Whether a key has more rows than a page.
        nameless: Where things without a transaction stand.
        counts: What `count` said, page by page.
        at_most: So many pages are taken at most.
    """

    asker: Asker
    tile: Tile
    at_most: int = MOST_PAGES
    pages: int = 0
    keys: set[str] = field(default_factory=set)
    last_key: str = ""
    resume: int = 0
    back: int = 0
    steps: int = 0
    tails: int = 0
    is_coarse: bool = False
    nameless: set[int] = field(default_factory=set)
    counts: set[int | None] = field(default_factory=set)

    def run(self, first: Answer) -> Generator[Answer, None, Tile]:
        """Page to the end, beginning with a first answer, or say why that cannot be proved."""
        self.tile.ids = set()
        answer, sort = first, first.question.sort
        while True:
            if not self.asker.answers.is_ordered or self.asker.answers.sort != sort:
                return self._fail(f"rows do not ascend by {sort}")
            ended = self._take(answer, str(sort))
            if ended is not None:
                return ended
            answer = yield from self.asker.ask_from(self.tile.asked, max(self.resume - self.back, 0))

    def _take(self, answer: Answer, sort: str) -> Tile | None:
        """Take a page; give the tile if it is the last, or the last that can be proved."""
        page, start = answer.page, self.asker.place(answer)
        ids, positions = page.transaction_ids, page.records["position"]
        keys = keys_of(answer, sort)
        if self.pages and not self._links(keys, sort):
            return self._step_back()
        has_fresh = not self.tile.ids.issuperset(ids)
        begins_well = bool(ids) and start + positions[0].as_py() == self.resume
        self.tile.ids.update(ids)
        if keys is not ids:
            self.keys.update(keys)
        self.nameless.update(start + reject.position for reject in page.rejects if reject.position is not None)
        if ids:
            self.last_key = keys[-1]
            first_of_last = len(keys) - 1 if sort == BY_ID else keys.index(self.last_key)
            if sort != BY_ID and start + first_of_last and first_of_last == 0:
                self.is_coarse = True
                return self._fail(f"a {sort} has more rows than a page")
            self.resume = start + positions[first_of_last if sort == BY_ID else max(first_of_last - 1, 0)].as_py()
        self.tails = 0 if has_fresh else self.tails + (TAILS // 2 if begins_well else 1)
        self.pages, self.back, self.steps = self.pages + 1, 0, 0
        if self.tails and self.asker.is_full(answer):
            self.is_coarse = sort != BY_ID
            return self._fail(f"rows of one {sort} fill a page")
        return self._end(answer)

    def _links(self, keys: list[str], sort: str) -> bool:
        """Say whether a page goes on without a gap from the rows that came before."""
        if sort == BY_ID:
            return not (self.keys.isdisjoint(keys) and self.tile.ids.isdisjoint(keys))
        return bool(keys) and keys[0] in self.keys and keys[0] != self.last_key

    def _step_back(self) -> Tile | None:
        """Seek the row further back: rows before it are gone, or the page came empty."""
        self.steps += 1
        if self.steps > STEPS_BACK:
            return self._fail(f"no page holds the row at {self.resume} again")
        self.back = 2 * self.back or max(self.asker.fits // 8, 1)
        return None

    def _end(self, answer: Answer) -> Tile | None:
        count = answer.page.count if self.asker.answers.count_is_total else None
        self.counts.add(count)
        if count is not None and self.asker.place(answer) + answer.page.size >= count:
            return self._succeed(answer, count)
        enough = TAILS + (TAILS // 2 if self.tails and self.asker.is_shaky else 0)
        if count is None and self.pages > 1 and self.tails >= enough:
            return self._succeed(answer, None)
        if not answer.page.size or self.tails >= enough:
            return self._fail(f"after row {self.resume} of {count} nothing further comes")
        if not self.tails and self.pages >= self.at_most:
            return self._fail(f"it has no end within {self.pages} pages")
        return None

    def _succeed(self, answer: Answer, count: int | None) -> Tile:
        self.tile.nameless = len(self.nameless)
        confirm_count(self.asker.answers, answer, self.tile.size)
        if self.counts == {count} and count is not None and self.tile.size < count:
            return self._fail(f"{self.tile.size} rows came of {count} announced each time")
        told = f"linked: {self.pages} pages by {answer.question.sort}, {self.tile.size} rows"
        return self.tile.judged(Verdict.PROVEN, told, count)

    def _fail(self, why: str) -> Tile:
        return self.tile.judged(Verdict.FAILED, why)
