"""Which way of paging is open, and how many rows a window is to hold so that its calls are there and not in vain."""

from dataclasses import dataclass
from math import ceil
from typing import Literal, TypeAlias

from progress_pipeline.vendor.asker import Asker
from progress_pipeline.vendor.linking import MOST_PAGES as MOST_LINKED
from progress_pipeline.vendor.linking import TAILS
from progress_pipeline.vendor.pricing import FILL

Way: TypeAlias = Literal["linked", "sized"]

LEAST_FILL = 0.3
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
SCARCE = 40
"""With fewer calls than this left, how long a list is is found out before it is paged."""


@dataclass
class Ways:
    """The ways of one span, by what is known of the vendor and how they went before.

    Attributes:
        asker: Asks.
        sized_pages: Pages of a window that is sized.
        is_coarse: Whether the order that there is has keys with more rows than a page, so that it links nothing.
        step: New rows of a page of the last window that was sized.
    """

    asker: Asker
    sized_pages: float = SIZED_PAGES
    is_coarse: bool = False
    step: float | None = None

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
        if self.asker.answers.start_unit == "pages" and self.asker.can_overlap:
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

    def way(self) -> Way | None:
        """Say by which proof a window can be paged, if by any."""
        if self.asker.answers.start_unit not in {"rows", "pages"}:
            return None
        if self.asker.answers.is_ordered and not self.is_coarse and self.asker.can_overlap:
            return "linked"
        return "sized" if self.sized_pages > FEWEST_PAGES else None

    def most_at_once(self) -> float:
        """Give how many rows are paged as one window: what half of the calls that are left bring, in so many pages."""
        return min((self.asker.fits - 1) * min(self.left / 2, MOST_LINKED - TAILS), LINKED_ROWS)

    def is_cheap(self, way: Way) -> bool:
        """Say whether a further page costs one call however long the list is."""
        return way == "linked" and self.asker.answers.start_unit == "rows"

    def calls_of(self, rows: int, way: Way) -> int:
        """Give the calls that paging a list takes beyond its first page."""
        return max(ceil((rows - self.asker.fits) / self._step(way)), 0)

    def note(self, calls: int, rows: int, *, is_proven: bool) -> None:
        """Learn from a window that was sized: what a page of it brought, and how long the next is to be."""
        self.step = max(rows / max(calls, 1), 1.0)
        is_dear = calls * self.asker.fits > DEAR * rows
        pages = self.sized_pages / 2 if not is_proven else self.sized_pages * 0.75 if is_dear else self.sized_pages + 1
        self.sized_pages = min(max(pages, FEWEST_PAGES), MOST_PAGES)
