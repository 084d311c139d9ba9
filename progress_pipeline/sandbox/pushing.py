"""The webhook's sending side: which updates travel together, when each delivery is due, and how often it is tried.

Time is the sandbox's own. A delivery whose retries are spent is never sent again, as the vendor's page says. Where a
delivery goes is the matter of `targets`.
"""

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from progress_pipeline.sandbox.config import SandboxConfig, Span
from progress_pipeline.sandbox.instants import NEVER, SECOND, from_us, span_us, to_us
from progress_pipeline.sandbox.payloads import Payloads
from progress_pipeline.sandbox.planting import befallen_rows
from progress_pipeline.sandbox.targets import Outcome, Target
from progress_pipeline.sandbox.world import JUNK, World

LostBecause: TypeAlias = Literal[
    "before_start", "no_receiver", "outage", "lost", "garbled", "receiver_down", "refused", "unreachable"
]
"""Why an update never reached the receiver in a readable form."""


@dataclass(frozen=True)
class Attempt:
    """One try at a delivery."""

    at: datetime
    outcome: Outcome


@dataclass
class Delivery:
    """One body on its way.

    Attributes:
        rows: The updates in it.
        is_copy: Whether it repeats updates of another delivery.
        is_garbled: Whether its body is no JSON.
        attempts: What was tried so far.
        is_given_up: Whether its retries are spent.
        delivery_id: Counted from 1 in the order of being made.
    """

    rows: tuple[int, ...]
    is_copy: bool = False
    is_garbled: bool = False
    attempts: list[Attempt] = field(default_factory=list)
    is_given_up: bool = False
    delivery_id: int = 0

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
        self.flags = befallen_rows(world, config)
        self._at: list[int] = world.at.tolist()  # a list is quicker to walk than an array
        self._after: list[int] | None = None
        self._next_row = bisect_left(self._at, start)
        self._due: list[tuple[int, int, Delivery]] = []
        self.deliveries: list[Delivery] = []
        self.never_sent: dict[int, LostBecause] = {}

    def change(self, config: SandboxConfig, payloads: Payloads, target: Target | None) -> None:
        """Send what is still to be made by other switches."""
        self.config, self.payloads, self.target = config, payloads, target
        self.flags = befallen_rows(self._world, config)

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
        at, first = self._at, self._next_row
        if first >= len(at):
            return first, NEVER
        end = bisect_right(at, at[first] + span_us(self.config.bundle_span), lo=first)
        end = min(max(end, first + 1), first + max(1, self.config.bundle_size))
        return end, at[end - 1] + span_us(self.config.push_latency)

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
                self._put(Delivery((row,), is_garbled=True), due)
            elif flags["push_late"][row]:
                self._put_off(Delivery((row,)), due + span_us(config.push_late_by))
            elif flags["push_reordered"][row]:
                self._put_off(Delivery((row,)), self._after_next(row, due))
            else:
                bundle.append(row)
            if reason is None and flags["push_twice"][row]:
                self._put_off(Delivery((row,), is_copy=True), due + span_us(config.push_twice_after))
        size = 1 if config.push_shape == "flat" else len(bundle)
        for first in range(0, len(bundle), size or 1):
            self._put(Delivery(tuple(bundle[first : first + size])), due)

    def _withheld_because(self, row: int) -> LostBecause | None:
        if _is_in(self.config.outages, int(self._world.at[row])):
            return "outage"
        if self.flags["push_lost"][row]:
            return "lost"
        return None if self.target else "no_receiver"

    def _after_next(self, row: int, due: int) -> int:
        """Give an instant by which the next update of the same registration has been sent."""
        if self._after is None:
            self._after = self._world.neighbours()[1].tolist()
        later = self._after[row]
        if later < 0:
            return due
        return self._at[later] + span_us(self.config.bundle_span + 2 * self.config.push_latency) + SECOND

    def _put(self, delivery: Delivery, due: int) -> None:
        """Make a delivery that is to leave as soon as it is due."""
        delivery.delivery_id = len(self.deliveries) + 1
        self.deliveries.append(delivery)
        heapq.heappush(self._due, (due, delivery.delivery_id, delivery))

    def _put_off(self, delivery: Delivery, due: int) -> None:
        """Make a delivery that leaves later than its updates' own; a silent sender holds it until the outage ends."""
        self._put(delivery, self._past_outages(due))

    def _past_outages(self, due: int) -> int:
        for span in sorted(self.config.outages, key=lambda one: one.start):
            if span.holds(from_us(due)):
                due = to_us(span.end)
        return due

    def _attempt(self, delivery: Delivery, now: int) -> None:
        outcome = self._try(delivery, now)
        delivery.attempts.append(Attempt(from_us(now), outcome))
        if outcome.is_taken:
            return
        retries = self.config.retry_delays
        if len(delivery.attempts) > len(retries):
            delivery.is_given_up = True
        else:
            next_due = self._past_outages(now + span_us(retries[len(delivery.attempts) - 1]))
            heapq.heappush(self._due, (next_due, delivery.delivery_id, delivery))

    def _try(self, delivery: Delivery, now: int) -> Outcome:
        if self.target is None:
            return Outcome(error="there is no receiver any more")
        if _is_in(self.config.receiver_down, now):
            return Outcome(is_down=True)
        body = self.payloads.body(delivery.rows, self.flags["push_differs"], is_garbled=delivery.is_garbled)
        has_wrong_token = _is_in(self.config.wrong_push_token, now)
        return self.target.deliver(body, from_us(now), delivery.delivery_id, has_wrong_token=has_wrong_token)


def _is_in(spans: Sequence[Span], instant: int) -> bool:
    return bool(spans) and any(span.holds(from_us(instant)) for span in spans)
