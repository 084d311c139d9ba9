"""The truth that a test holds an answer against: what happened, what was told to whom, what was lost and why.

Everything is as of the sandbox's clock. Values are the world's own, typed, in the names of the vendor's page; how they
were written down on their way does not change them.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

import numpy as np

from progress_pipeline.sandbox.answering import Api, CallTruth
from progress_pipeline.sandbox.instants import from_us
from progress_pipeline.sandbox.pushing import Attempt, Delivery, LostBecause, Pusher
from progress_pipeline.sandbox.world import JUNK, KINDS, World

UnlistedBecause: TypeAlias = Literal["never", "garbled", "withheld", "held_back", "replaced"]


@dataclass(frozen=True)
class UpdateTruth:
    """One update that happened.

    Attributes:
        update_id: Counted from 1 in the order of happening; what is no record is counted too.
        happened_at: When.
        kind: started, progressed or completion.
        transaction_id: The transaction that it is told under.
        registration: The learner's instance of the activity.
        record: The twelve fields, typed, absent ones null.
        is_listed: Whether the API lists it at this instant, as a record that can be read.
        unlisted_because: Why it does not: never, garbled, withheld, held_back (until some later call) or replaced by a
            newer update of its registration; None if it is listed.
        delivered_count: How many deliveries brought it to the receiver.
        delivered_at: When the first of them did.
        lost_because: Why none did and none will; None if one did or still may.
    """

    update_id: int
    happened_at: datetime
    kind: str
    transaction_id: int
    registration: str
    record: dict[str, Any]
    is_listed: bool
    unlisted_because: UnlistedBecause | None
    delivered_count: int
    delivered_at: datetime | None
    lost_because: LostBecause | None


@dataclass(frozen=True)
class PushTruth:
    """One delivery: the updates in it, whether it repeats or is garbled, and each attempt."""

    delivery_id: int
    update_ids: tuple[int, ...]
    is_copy: bool
    is_garbled: bool
    is_delivered: bool
    is_given_up: bool
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True)
class Summary:
    """The state of a sandbox in a few numbers."""

    clock: datetime
    update_count: int
    registration_count: int
    completed_count: int
    listed_count: int
    delivery_count: int
    delivered_update_count: int
    lost: dict[str, int]
    calls_today: int
    call_count: int


class Truth:
    """Tells the truth about one sandbox."""

    def __init__(self, world: World, api: Api, pusher: Pusher, now: Callable[[], int]) -> None:
        self._world, self._api, self._pusher, self._now = world, api, pusher, now

    def updates(self, *, to_come: bool = False) -> list[UpdateTruth]:
        """Give all updates that have happened, in order; with those to come, if asked."""
        now, world = self._now(), self._world
        end = len(world) if to_come else int(np.searchsorted(world.at, now, side="right"))
        rows = [row for row in range(end) if world.kind[row] != JUNK]
        is_listed = self._api.shown.listing.is_shown(now)
        by_row: dict[int, list[Delivery]] = defaultdict(list)
        for delivery in self._pusher.deliveries:
            for row in delivery.rows:
                by_row[row].append(delivery)
        records = world.table.take(np.array(rows, dtype=np.int64)).to_pylist()
        return [
            self._update(row, record, by_row[row], is_shown=bool(is_listed[row]))
            for row, record in zip(rows, records, strict=True)
        ]

    def _update(self, row: int, record: dict[str, Any], deliveries: list[Delivery], *, is_shown: bool) -> UpdateTruth:
        for name in ("dateStarted", "dateCompleted"):
            if record[name] is not None:
                record[name] = record[name].replace(tzinfo=UTC)
        taken = [one for one in deliveries if one.is_delivered and not one.is_garbled]
        unlisted_because = self._unlisted_because(row, is_shown=is_shown)
        return UpdateTruth(
            row + 1,
            from_us(int(self._world.at[row])),
            KINDS[self._world.kind[row]],
            record["transactionId"],
            record["registration"],
            record,
            unlisted_because is None,
            unlisted_because,
            len(taken),
            min((one.attempts[-1].at for one in taken), default=None),
            self._pusher.lost_because(row, deliveries),
        )

    def _unlisted_because(self, row: int, *, is_shown: bool) -> UnlistedBecause | None:
        shown, flags = self._api.shown, self._pusher.flags
        if flags["api_never"][row]:
            return "never"
        if row in shown.drift.held_back:
            return "held_back"
        if not is_shown:
            return "withheld" if shown.listing.shown_from[row] > self._now() else "replaced"
        return "garbled" if flags["api_garbled"][row] else None

    def listed_transactions(self) -> set[int]:
        """Give the transactions of which the API lists a row that can be read, at this instant."""
        shown = self._api.shown
        is_read = shown.listing.is_shown(self._now()) & ~shown.renderer.garbled & (self._world.kind != JUNK)
        return set(self._world.transaction_ids[is_read].tolist())

    def registrations(self) -> dict[str, UpdateTruth]:
        """Give each registration's newest update: where the learner stands now."""
        return {update.registration: update for update in self.updates()}

    def lost(self) -> list[UpdateTruth]:
        """Give the updates that never reached the receiver and never will, each with its reason."""
        return [update for update in self.updates() if update.lost_because is not None]

    def pushes(self) -> list[PushTruth]:
        """Give all deliveries that were made so far."""
        return [
            PushTruth(
                one.delivery_id,
                tuple(row + 1 for row in one.rows),
                one.is_copy,
                one.is_garbled,
                one.is_delivered,
                one.is_given_up,
                tuple(one.attempts),
            )
            for one in self._pusher.deliveries
        ]

    def calls(self) -> list[CallTruth]:
        """Give all calls that the API has seen."""
        return list(self._api.calls)

    def summary(self) -> Summary:
        """Give the state in a few numbers."""
        updates = self.updates()
        newest = {update.registration: update for update in updates}
        return Summary(
            from_us(self._now()),
            len(updates),
            len(newest),
            sum(update.kind == "completion" for update in newest.values()),
            sum(update.is_listed for update in updates),
            len(self._pusher.deliveries),
            sum(update.delivered_count > 0 for update in updates),
            dict(Counter(update.lost_because for update in updates if update.lost_because)),
            self._api.count.used(self._api.config, self._now()),
            len(self._api.calls),
        )
