"""The API's list at an instant: which rows it shows, which of them a question asks for, and in what order.

Works on whole columns. What the last questions selected is kept for as long as nothing moves, so that paging through
a long list selects and sorts it once.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from progress_pipeline.sandbox.chance import Flags, Whole
from progress_pipeline.sandbox.config import SandboxConfig
from progress_pipeline.sandbox.instants import DAY, NEVER, SECOND
from progress_pipeline.sandbox.world import JUNK, SCHEMA, World

KEPT_SELECTIONS = 16
NO_INSTANT = -(2**63)


@dataclass(frozen=True)
class Question:
    """What is asked of the list, read from a request. Instants are microseconds since 1970."""

    start_at: int | None = None
    end_at: int | None = None
    completed: bool = False
    search: str = ""
    sort: str = "firstName"
    order: str = "ASC"


class Listing:
    """The rows of a world as the API lists them.

    Args:
        world: Whose rows.
        config: How they are filtered and ordered.
        shown_from: From when the API shows each row.
    """

    def __init__(self, world: World, config: SandboxConfig, shown_from: Whole) -> None:
        self._world, self._config = world, config
        self._dates = self._filter_dates()
        self._ranks: dict[str, Whole] = {}
        self._selections: dict[tuple[Question, int], Whole] = {}
        self._search_text: list[pa.ChunkedArray] | None = None
        self.show_from(shown_from)

    def show_from(self, shown_from: Whole) -> None:
        """Show each row from an instant on, until a newer one of its registration takes its place if that is so."""
        is_newest_alone = self._config.listed == "newest" or self._config.transactions == "in_place"
        self.shown_from = shown_from
        self._until = _until_replaced(self._world, shown_from) if is_newest_alone else np.full(len(shown_from), NEVER)
        self._moments: Whole = np.unique(np.concatenate([shown_from, self._until]))
        self._selections.clear()

    def is_shown(self, now: int) -> Flags:
        """Say of each row whether the list holds it at an instant."""
        return (self.shown_from <= now) & (now < self._until)

    def select(self, question: Question, now: int, shuffle: np.random.Generator | None = None) -> Whole:
        """Give the rows that a question asks for, in its order.

        Args:
            question: What is asked.
            now: The instant.
            shuffle: Orders rows whose sort keys are equal; without it they stand in the order of happening.
        """
        # Between two moments at which a row appears or goes, the list stays the same.
        key = (question, int(np.searchsorted(self._moments, now, side="right")))
        rows = self._selections.get(key)
        if rows is None or shuffle is not None:
            rows = self._sorted(np.flatnonzero(self._matches(question, now)), question, shuffle)
            if len(self._selections) >= KEPT_SELECTIONS:
                self._selections.clear()
            self._selections[key] = rows
        return rows

    def names_changed(self) -> None:
        """Forget what rested on the learners' names."""
        self._ranks.clear()
        self._selections.clear()
        self._search_text = None

    def _matches(self, question: Question, now: int) -> Flags:
        matches = self.is_shown(now)
        if question.start_at is not None or question.end_at is not None:
            matches &= self._in_range(question)
        if question.completed:
            matches &= self._world.table["dateCompleted"].is_valid().to_numpy() | (self._world.kind == JUNK)
        if question.search:
            matches &= self._found(question.search)
        return matches

    def _in_range(self, question: Question) -> Flags:
        dates, config = self._dates, self._config
        grain = {"instant": 1, "second": SECOND, "day": DAY}[config.dates_cut_to]
        cut = dates // grain
        is_in: Flags = np.ones(len(dates), dtype=np.bool_)
        if question.start_at is not None:
            start = question.start_at // grain
            is_in &= cut >= start if config.start_is == "inclusive" else cut > start
        if question.end_at is not None:
            end = question.end_at // grain
            is_in &= cut <= end if config.end_is == "inclusive" else cut < end
        is_in[dates == NO_INSTANT] = config.undated == "in"
        return is_in

    def _filter_dates(self) -> Whole:
        """Give the date of each row that a range is held against."""
        table = self._world.table
        instants = {
            "started": table["dateStarted"],
            "completed": table["dateCompleted"],
            "completed_or_started": pc.coalesce(table["dateCompleted"], table["dateStarted"]),
        }.get(self._config.filter_on)
        if instants is None:
            return self._world.at
        dates: Whole = instants.cast(pa.int64()).fill_null(NO_INSTANT).to_numpy().copy()
        is_junk = self._world.kind == JUNK
        dates[is_junk] = self._world.at[is_junk]
        return dates

    def _found(self, search: str) -> Flags:
        """Say of each row whether one of the five searched fields holds a text, whatever the case."""
        if self._search_text is None:
            table = self._world.table
            name = pc.binary_join_element_wise(table["firstName"], table["lastName"], " ", null_handling="replace")
            others = [table[field] for field in ("email", "activityTitle", "registration", "completionCode")]
            self._search_text = [name, *others]
        found: Flags = np.zeros(len(self._world), dtype=np.bool_)
        for column in self._search_text:
            hits = pc.match_substring(column, search, ignore_case=True)
            found |= pc.fill_null(hits, fill_value=False).to_numpy()
        return found

    def _sorted(self, rows: Whole, question: Question, shuffle: np.random.Generator | None) -> Whole:
        ranks = self._rank(question.sort)[rows]
        if question.order == "DESC":
            ranks = -ranks
        if shuffle is not None:
            return rows[np.lexsort((shuffle.random(len(rows)), ranks))]
        return rows[np.argsort(ranks, kind="stable")]

    def _rank(self, field: str) -> Whole:
        """Give each row's rank by a field, from 1; equal values rank equally, absent ones rank 0."""
        if field not in self._ranks:
            encoded = self._world.table[field].combine_chunks().dictionary_encode()
            order = pc.sort_indices(encoded.dictionary).to_numpy()
            rank_of = np.empty(len(order) + 1, dtype=np.int64)
            rank_of[order] = np.arange(1, len(order) + 1)
            rank_of[-1] = 0
            self._ranks[field] = rank_of[encoded.indices.fill_null(len(order)).to_numpy()]
        return self._ranks[field]


def _until_replaced(world: World, shown_from: Whole) -> Whole:
    """Give until when each row is the newest that the API shows of its registration."""
    until: Whole = np.full(len(world), NEVER, dtype=np.int64)
    newest: dict[int, int] = {}
    registrations = world.registration.tolist()
    for row in range(len(world) - 1, -1, -1):
        number = registrations[row]
        if number >= 0:
            until[row] = newest.get(number, NEVER)
            newest[number] = min(newest.get(number, NEVER), int(shown_from[row]))
    return until


SORTABLE = frozenset(SCHEMA.names)
