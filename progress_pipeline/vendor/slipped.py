"""Noticing rows that slipped by while a list was paged, and where: by the places at which names begin.

In a list that is sorted by a name, the first place of a name is the number of rows before it, however ties fall. If a
name begins three places later than it did, three rows have come in before it since. So a few pages tell by halving in
which stretch of the list a row stands that was not there, or stood elsewhere, when that stretch was read.
"""

from dataclasses import dataclass, field
from itertools import groupby

from progress_pipeline.vendor.client import Answer

GROUPED = ("last_name", "first_name", "registration")
"""What lists are sorted by, where it is not by transaction."""


@dataclass
class Places:
    """Where names begin in a list, as far as it was read.

    Attributes:
        column: The name that the list is sorted by; None if that is not known, or if it is by neither.
        starts: The first place of each name.
    """

    column: str | None = None
    starts: dict[str, int] = field(default_factory=dict)

    def read(self, answer: Answer, start: int) -> list[tuple[str, int]]:
        """Give the names that begin in a page, which begins at a place itself; each with its place, in order."""
        if self.column is None:
            self.column = next((column for column in GROUPED if _is_grouped(_names(answer, column))), None)
        if self.column is None:
            return []
        places = [start + place for place in answer.page.records["position"].to_pylist()]
        names = _names(answer, self.column)
        begun: dict[str, int] = {}
        for name, place in zip(names, places, strict=True):
            begun.setdefault(name, place)
        if start and names:
            # The page may begin in the middle of its first name.
            del begun[names[0]]
        return list(begun.items())

    def shifts(self, begun: list[tuple[str, int]]) -> tuple[int, int] | None:
        """Give how many places later than before the first and the last name of a page that were seen before begin."""
        known = [place - self.starts[name] for name, place in begun if name in self.starts]
        return (known[0], known[-1]) if known else None

    def note(self, begun: list[tuple[str, int]]) -> None:
        """Keep where names begin now."""
        self.starts.update(begun)

    def move(self, after: int, by: int) -> None:
        """Move what begins after a place, since rows that came in there were found."""
        self.starts = {name: at + by if at > after else at for name, at in self.starts.items()}


def _names(answer: Answer, column: str) -> list[str]:
    return [(name or "").strip().casefold() for name in answer.page.records[column].to_pylist()]


def _is_grouped(names: list[str]) -> bool:
    """Say whether equal names stand together, as in a sorted list, and there is more than one."""
    runs = [name for name, _ in groupby(names)]
    return len(runs) > 1 and len(set(runs)) == len(runs)
