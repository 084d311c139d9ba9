"""The webhook's sending side: which updates travel together, when each delivery is due, and how often it is tried.

Time is the sandbox's own. A delivery whose retries are spent is never sent again, as the vendor's page says. Where a
delivery goes is the matter of `targets`.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias, get_args

import numpy as np

from progress_pipeline.sandbox.chance import Flags, chosen
from progress_pipeline.sandbox.config import SandboxConfig, Span, WitnessFault
from progress_pipeline.sandbox.instants import NEVER, SECOND, from_us, span_us
from progress_pipeline.sandbox.payloads import Payloads
from progress_pipeline.sandbox.targets import Outcome, Target
from progress_pipeline.sandbox.world import JUNK, World

LostBecause: TypeAlias = Literal[
    "before_start", "no_receiver", "outage", "lost", "garbled", "receiver_down", "refused", "unreachable"
]
"""Why an update never reached the receiver in a readable form."""


def witness_flags(world: World, config: SandboxConfig) -> dict[WitnessFault, Flags]:
    """Say which updates each fault befalls, by share and by name."""
    flags: dict[WitnessFault, Flags] = {}
    for fault in get_args(WitnessFault):
        befallen = chosen(config.seed, fault, len(world), config.shares.get(fault, 0.0))
        for planted in config.planted:
            if planted.fault == fault and planted.update_id is not None:
                befallen[planted.update_id - 1] = True
            if planted.fault == fault and planted.transaction_id is not None:
                befallen |= world.transaction_ids == planted.transaction_id
        flags[fault] = befallen & (world.kind != JUNK)
    return flags


@dataclass(frozen=True)
class Attempt:
    """One try at a delivery."""

    at: datetime
    outcome: Outcome


@dataclass
class Delivery:
    """One body on its way.

    Attributes:
        delivery_id: Counted from 1 in the order of being made.
        rows: The updates in it.
        is_copy: Whether it repeats updates of another delivery.
        is_garbled: Whether its body is no JSON.
        attempts: What was tried so far.
        is_given_up: Whether its retries are spent.
    """

    delivery_id: int
    rows: tuple[int, ...]
    is_copy: bool = False
    is_garbled: bool = False
    attempts: list[Attempt] = field(default_factory=list)
    is_given_up: bool = False

    @property
    def is_delivered(self) -> bool:
        """Whether the receiver took it."""
        return bool(self.attempts) and self.attempts[-1].outcome.is_taken


class Pusher:
    """Sends what happens in a world as the clock moves.

    Args:
        world: What happens.
        config: How it is sent, and what goes wrong.
        payloads: Writes the bodies.
        target: Where they go; nowhere if unset.
        start: Earlier updates are never pushed.
    """

    def __init__(
        self, world: World, config: SandboxConfig, payloads: Payloads, target: Target | None, start: int
    ) -> None:
        self._world, self._start = world, start
        self.config, self.payloads, self.target = config, payloads, target
        self.flags = witness_flags(world, config)
        self._next_row = int(np.searchsorted(world.at, start, side="left"))
        self._due: list[tuple[int, int, Delivery]] = []
        self.deliveries: list[Delivery] = []
        self.never_sent: dict[int, LostBecause] = {}

    def change(self, config: SandboxConfig, payloads: Payloads, target: Target | None) -> None:
        """Send what is still to be made by other switches."""
        self.config, self.payloads, self.target = config, payloads, target
        self.flags = witness_flags(self._world, config)

    def advance(self, until: int, tick: Callable[[int], None]) -> None:
        """Send all that is due up to an instant, in order.

        Args:
            until: The instant, inclusive.
            tick: Is told the instant of each attempt before it is made.
        """
        while True:
            end_row, group_due = self._next_group()
            delivery_due = self._due[0][0] if self._due else NEVER
            if min(group_due, delivery_due) > until:
                return
            if group_due <= delivery_due:
                self._schedule(range(self._next_row, end_row), group_due)
                self._next_row = end_row
            else:
                due, _, delivery = heapq.heappop(self._due)
                tick(due)
                self._attempt(delivery, due)

    def lost_because(self, row: int, deliveries: Sequence[Delivery]) -> LostBecause | None:
        """Say why an update has not reached the receiver, once nothing more is to come; None if it has or may."""
        if row in self.never_sent:
            return self.never_sent[row]
        if self._world.at[row] < self._start:
            return "before_start"
        if any(one.is_delivered and not one.is_garbled for one in deliveries):
            return None
        if not deliveries or not all(one.is_delivered or one.is_given_up for one in deliveries):
            return None
        last = deliveries[-1]
        if last.is_delivered:
            return "garbled"
        return last.attempts[-1].outcome.lost_because

    def _next_group(self) -> tuple[int, int]:
        """Give the end of the next rows that travel together, and when they are due."""
        at, first = self._world.at, self._next_row
        if first >= len(at):
            return first, NEVER
        end = int(np.searchsorted(at, at[first] + span_us(self.config.bundle_span), side="right"))
        end = min(max(end, first + 1), first + max(1, self.config.bundle_size))
        return end, int(at[end - 1]) + span_us(self.config.push_latency)

    def _schedule(self, rows: range, due: int) -> None:
        """Make the deliveries of rows that happened together."""
        bundle: list[int] = []
        flags, config = self.flags, self.config
        for row in rows:
            if self._world.kind[row] == JUNK:
                continue
            reason = self._withheld_because(row)
            if reason is not None:
                self.never_sent[row] = reason
            elif flags["push_garbled"][row]:
                self._put([row], due, is_garbled=True)
            elif flags["push_late"][row]:
                self._put([row], due + span_us(config.push_late_by))
            elif flags["push_reordered"][row]:
                self._put([row], self._after_next(row, due))
            else:
                bundle.append(row)
            if reason is None and flags["push_twice"][row]:
                self._put([row], due + span_us(config.push_twice_after), is_copy=True)
        size = 1 if config.push_shape == "flat" else len(bundle)
        for first in range(0, len(bundle), size or 1):
            self._put(bundle[first : first + size], due)

    def _withheld_because(self, row: int) -> LostBecause | None:
        if _is_in(self.config.outages, int(self._world.at[row])):
            return "outage"
        if self.flags["push_lost"][row]:
            return "lost"
        return None if self.target else "no_receiver"

    def _after_next(self, row: int, due: int) -> int:
        """Give an instant by which the next update of the same registration has been sent."""
        later = np.flatnonzero(self._world.registration[row + 1 :] == self._world.registration[row])
        if not len(later):
            return due
        config = self.config
        return int(self._world.at[row + 1 + later[0]]) + span_us(config.bundle_span + 2 * config.push_latency) + SECOND

    def _put(self, rows: Sequence[int], due: int, *, is_copy: bool = False, is_garbled: bool = False) -> None:
        delivery = Delivery(len(self.deliveries) + 1, tuple(rows), is_copy, is_garbled)
        self.deliveries.append(delivery)
        heapq.heappush(self._due, (due, delivery.delivery_id, delivery))

    def _attempt(self, delivery: Delivery, now: int) -> None:
        outcome = self._try(delivery, now)
        delivery.attempts.append(Attempt(from_us(now), outcome))
        if outcome.is_taken:
            return
        retries = self.config.retry_delays
        if len(delivery.attempts) > len(retries):
            delivery.is_given_up = True
        else:
            next_due = now + span_us(retries[len(delivery.attempts) - 1])
            heapq.heappush(self._due, (next_due, delivery.delivery_id, delivery))

    def _try(self, delivery: Delivery, now: int) -> Outcome:
        if self.target is None:
            return Outcome(error="there is no receiver any more")
        if _is_in(self.config.receiver_down, now):
            return Outcome(is_down=True)
        body = self.payloads.body(delivery.rows, self.flags["push_renamed"], is_garbled=delivery.is_garbled)
        has_wrong_token = _is_in(self.config.wrong_push_token, now)
        return self.target.deliver(body, from_us(now), delivery.delivery_id, has_wrong_token=has_wrong_token)


def _is_in(spans: Sequence[Span], instant: int) -> bool:
    return bool(spans) and any(span.holds(from_us(instant)) for span in spans)
