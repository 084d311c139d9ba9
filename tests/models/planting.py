"""Faults to be planted on a made-up world, and the gaps that must be named for them: the truth to judge by.

Each fault befalls updates picked by a seed, of which the rules of docs/verdicts.md say that their gaps can be known.
Nothing here runs anything; `planted` does.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Literal, TypeAlias

from progress_pipeline.sandbox.config import Planted, SandboxConfig, Span, WitnessFault
from progress_pipeline.sandbox.truth import UpdateTruth

Transactions: TypeAlias = Literal["per_update", "in_place"]
Gap: TypeAlias = tuple[str, int, str, str]
"""Who owes it (api, webhook or both), the transaction, the status and the cause."""

FIRST = datetime(2026, 1, 5, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DAYS = 2
RUNS = tuple(FIRST + day * DAY + 5 * HOUR for day in range(1, DAYS + 3))
OUTAGE = Span(FIRST + DAY + 10 * HOUR, FIRST + DAY + 13 * HOUR)
REFUSING, BUNDLE = timedelta(minutes=20), timedelta(seconds=2)
NEAR_A_RUN, APART = 3 * HOUR, timedelta(minutes=30)


def interval(at: datetime) -> int:
    """Give the number of runs before an instant."""
    return sum(run < at for run in RUNS)


@dataclass
class Plan:
    """What is planted, and the gaps to be named for it.

    Attributes:
        planted: Faults on single updates.
        outages: Spans in which the sender is silent.
        refusing: Spans in which the receiver refuses.
        gaps: What must be named.
    """

    planted: list[Planted] = field(default_factory=list)
    outages: list[Span] = field(default_factory=list)
    refusing: list[Span] = field(default_factory=list)
    gaps: set[Gap] = field(default_factory=set)

    def owes(self, updates: Iterable[UpdateTruth], owing: str, status: str, cause: str) -> None:
        """Expect a gap of each update."""
        self.gaps |= {(owing, one.transaction_id, status, cause) for one in updates}

    def plant(self, updates: Iterable[UpdateTruth], fault: WitnessFault) -> None:
        """Plant a fault on each update."""
        self.planted += [Planted(fault, update_id=one.update_id) for one in updates]


@dataclass
class World:
    """A made-up world before anything is told of it.

    Attributes:
        updates: All that will happen, in order.
        transactions: Whether each update has a transaction of its own.
    """

    updates: list[UpdateTruth]
    transactions: Transactions

    def __post_init__(self) -> None:
        self.following: dict[int, UpdateTruth] = {}
        newest: dict[str, UpdateTruth] = {}
        for one in self.updates:
            if one.registration in newest:
                self.following[newest[one.registration].update_id] = one
            newest[one.registration] = one
        self._last = {one.update_id for one in newest.values()}

    def can_be_known(self, one: UpdateTruth) -> bool:
        """Say whether a fault on an update leaves a trace however the vendor uses transactions."""
        return self.transactions == "per_update" or one.update_id in self._last

    def is_dated(self, one: UpdateTruth) -> bool:
        """Say whether the vendor's own date tells when an update was."""
        return one.kind == "completion" or (one.kind == "started" and one.record["dateStarted"] == one.happened_at)

    def missed(self, lost: list[UpdateTruth]) -> list[UpdateTruth]:
        """Give the updates of which a run can know that their pushes were lost, all of them being lost."""
        return [one for one in lost if self.is_missed(one, lost)]

    def is_missed(self, one: UpdateTruth, lost: Iterable[UpdateTruth]) -> bool:
        """Say whether a run can know that the push of an update was lost, others being lost too.

        In place the API must have shown it at a run, and unless the vendor dates it no push that goes further may have
        come by the next.
        """
        if self.transactions == "per_update":
            return True
        shown_by = next(run for run in RUNS if run >= one.happened_at)
        known_by = shown_by if self.is_dated(one) else RUNS[min(RUNS.index(shown_by) + 1, len(RUNS) - 1)]
        gone = {each.update_id for each in lost}
        later = self.following.get(one.update_id)
        if later is not None and later.happened_at <= shown_by:
            return False
        while later is not None and later.happened_at <= known_by:
            if later.update_id not in gone:
                return False
            later = self.following.get(later.update_id)
        return True


class Picker:
    """Picks updates for faults, none twice, and none of a registration that another fault has."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.chance = Random(seed)  # noqa: S311 - a test needs no secrecy
        self._busy: set[str] = set()
        self._picked: list[datetime] = []
        self._spans: list[Span] = []

    def keep_clear(self, span: Span, margin: timedelta) -> list[UpdateTruth]:
        """Pick nothing near a span from now on; give the updates in it."""
        self._spans.append(Span(span.start - margin, span.end + margin))
        inside = [one for one in self.world.updates if span.holds(one.happened_at)]
        self._busy |= {one.registration for one in inside}
        return inside

    def pick(self, count: int, *, kind: str | None = None, before: datetime = RUNS[-1]) -> list[UpdateTruth]:
        """Pick updates that every run can judge, at most one of a registration, and none near another."""
        free = [one for one in self.world.updates if kind in {None, one.kind} and one.happened_at < before]
        self.chance.shuffle(free)
        picked: list[UpdateTruth] = []
        for one in free:
            if len(picked) < count and self._is_free(one):
                picked.append(one)
                self._busy.add(one.registration)
                self._picked.append(one.happened_at)
        return picked

    def pick_followed(self, count: int, within: timedelta) -> list[UpdateTruth]:
        """Pick updates that are soon followed by another of their registration."""
        free = [
            one
            for one in self.world.updates
            if one.registration not in self._busy
            and (later := self.world.following.get(one.update_id)) is not None
            and later.happened_at - one.happened_at < within
            and not self._is_near(one.happened_at)
        ]
        return self.chance.sample(free, min(count, len(free)))

    def _is_free(self, one: UpdateTruth) -> bool:
        return (
            one.registration not in self._busy
            and self.world.can_be_known(one)
            and one.happened_at > FIRST + 8 * HOUR
            and not self._is_near(one.happened_at)
            and not any(abs(one.happened_at - at) < APART for at in self._picked)  # three losses in a row are an outage
            and not self._is_ambiguous(one)
        )

    def _is_ambiguous(self, one: UpdateTruth) -> bool:
        """Say whether nothing tells a loss from what a span between the same two runs took."""
        if self.world.transactions == "per_update" or self.world.is_dated(one):
            return False
        return any(interval(span.start) == interval(one.happened_at) for span in self._spans)

    def _is_near(self, at: datetime) -> bool:
        return any(run - NEAR_A_RUN < at <= run for run in RUNS) or any(span.holds(at) for span in self._spans)


def plan(world: World, seed: int, *faults: str) -> Plan:
    """Plan faults, those that take a span first, so that the others keep away from it."""
    picker, made = Picker(world, seed), Plan()
    for fault in sorted(faults, key=lambda one: ("outage" not in one, "refusing" not in one)):
        _PLANTERS[fault](picker, made)
    return made


def _lose(count: int, picker: Picker, made: Plan) -> None:
    lost = picker.pick(count)
    made.plant(lost, "push_lost")
    made.owes(lost, "webhook", "repaired", "lost")


def _be_silent(picker: Picker, made: Plan) -> None:
    lost = picker.keep_clear(OUTAGE, HOUR)
    made.outages.append(OUTAGE)
    made.owes(picker.world.missed(lost), "webhook", "repaired", "outage")


def _refuse(picker: Picker, made: Plan) -> None:
    """Refuse for 20 minutes; what is pushed in the last 5 of them and a bit comes by the last retry.

    A push leaves up to a bundle's time after its update: what happened so shortly before is refused as well.
    """
    (first,) = picker.pick(1, before=RUNS[0])
    span = Span(first.happened_at - timedelta(minutes=5), first.happened_at + REFUSING - timedelta(minutes=5))
    while any(span.start - 2 * BUNDLE < one.happened_at < span.start for one in picker.world.updates):
        span = Span(span.start - BUNDLE, span.end)  # nobody's first try falls on the edge
    last_try = sum(SandboxConfig().retry_delays, timedelta(seconds=3))  # with the time that a bundle takes
    while any(span.end - 2 * BUNDLE < one.happened_at + last_try < span.end for one in picker.world.updates):
        span = Span(span.start, span.end - BUNDLE)  # nobody's last try falls on the edge
    lost = [one for one in picker.keep_clear(span, HOUR) if one.happened_at + last_try < span.end]
    made.refusing.append(span)
    made.owes(picker.world.missed(lost), "webhook", "repaired", "receiver_refusing")


def _be_late(picker: Picker, made: Plan) -> None:
    late = [*picker.pick(3), *picker.pick(2, kind="completion")]
    made.plant(late, "push_late")
    in_place = picker.world.transactions == "in_place"
    known = [one for one in late if not in_place or picker.world.is_dated(one)]
    made.owes(known, "webhook", "repaired", "late")


def _repeat_and_reorder(picker: Picker, made: Plan) -> None:
    made.plant(picker.pick(20), "push_twice")
    made.plant(picker.pick_followed(20, 1.5 * HOUR), "push_reordered")


def _withhold(picker: Picker, made: Plan) -> None:
    withheld = picker.pick(3)
    made.plant(withheld, "api_withheld")
    made.owes(withheld, "api", "repaired", "withheld")


def _differ(picker: Picker, made: Plan) -> None:
    differing = picker.pick(3)
    made.plant(differing, "push_differs")
    made.owes(differing, "both", "open", "vendor_contradicts_itself")


def _tell_one_side(picker: Picker, made: Plan) -> None:
    never = picker.pick(2)
    made.plant(never, "api_never")
    made.owes(never, "api", "open", "withheld")
    _lose(1, picker, made)


_PLANTERS: dict[str, Callable[[Picker, Plan], None]] = {
    "one push lost": partial(_lose, 1),
    "an outage of 3 hours": _be_silent,
    "a receiver refusing for 20 minutes": _refuse,
    "pushes late by a day": _be_late,
    "pushes twice and out of order": _repeat_and_reorder,
    "API rows withheld for two days": _withhold,
    "a name that differs": _differ,
    "told by one side alone": _tell_one_side,
}
FAULTS = tuple(_PLANTERS)
ALL = "all together"
