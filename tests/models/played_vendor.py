"""A small vendor played onto raw tables: what happened by a seed, what each witness told of it, and who acts on it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from tests.models.play import DAY, FIRST_DAY, HOUR, PAD, Raw, record


@dataclass(frozen=True)
class Update:
    """One thing that happened to a registration.

    Attributes:
        number: Counted from 1 in the order of happening; the transaction's id where each update has its own.
        at: When.
        registration: Whose.
        started_at: When that registration was started.
        progress: How far it is.
        is_completion: Whether it completes it.
    """

    number: int
    at: datetime
    registration: int
    started_at: datetime
    progress: float
    is_completion: bool

    @property
    def kind(self) -> str:
        """started, progressed or completion."""
        return "completion" if self.is_completion else "progressed" if self.progress else "started"


def happenings(seed: int, *, registrations: int = 40, days: int = 8) -> list[Update]:
    """Make up what happens: registrations that start, go on in steps, and mostly complete."""
    chance = Random(seed)  # noqa: S311 - made-up people need no secrecy
    told: list[tuple[datetime, int, datetime, float, bool]] = []
    for registration in range(1, registrations + 1):
        started_at = FIRST_DAY + DAY * chance.uniform(0.02, days - 1)
        started_at = started_at.replace(microsecond=0)
        at, progress = started_at, 0.0
        told.append((at, registration, started_at, progress, False))
        for _ in range(chance.randrange(5)):
            at = (at + DAY * chance.uniform(0.005, 1.5)).replace(microsecond=0)
            progress = min(99.0, progress + chance.randrange(5, 40))
            told.append((at, registration, started_at, progress, False))
        if chance.random() < 0.6:
            at = (at + HOUR * chance.uniform(0.5, 20)).replace(microsecond=0)
            told.append((at, registration, started_at, 100.0, True))
    told.sort()
    return [Update(number, *one) for number, one in enumerate(told, start=1)]


@dataclass(frozen=True)
class Push:
    """One delivery of one update: when, and with which other values."""

    at: datetime
    update: Update
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Vendor:
    """What happened, and how the vendor tells it.

    Attributes:
        updates: What happened, in order.
        in_place: Whether a registration keeps one transaction, updated in place, or gets one per update.
        lists_all: Whether the API lists all of a registration's transactions, or its newest alone.
        pushes: What the webhook delivers; at first every update, half a second after it happened.
        shown_from: When the API begins to show an update, where that is later than it happened; None is never.
    """

    updates: list[Update]
    in_place: bool = False
    lists_all: bool = True
    pushes: list[Push] = field(default_factory=list)
    shown_from: dict[int, datetime | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pushes = [Push(update.at + HOUR / 7200, update) for update in self.updates]

    def transaction(self, update: Update) -> int:
        """Give the transaction that an update is told under."""
        return 1_000_000 + update.registration if self.in_place else update.number

    def record(self, update: Update, **changes: Any) -> dict[str, Any]:
        """Give an update as a record."""
        name = f"r-{update.registration}"
        return record(
            **{
                "transaction_id": self.transaction(update),
                "email": f"{name}@example.invalid",
                "member_identifier": f"m-{update.registration}",
                "registration": name,
                "date_started": update.started_at.isoformat(),
                "progress": update.progress,
                "date_completed": update.at.isoformat() if update.is_completion else "",
                "completion_code": f"00000000-0000-4000-8000-{update.number:012d}" if update.is_completion else "",
                **changes,
            }
        )

    def shown(self, at: datetime, since: datetime | None = None, registration: str = "") -> list[dict[str, Any]]:
        """Give what the API shows at an instant: what changed since another, or what belongs to a registration."""
        seen = [
            update
            for update in self.updates
            if update.at <= at and (shown := self.shown_from.get(update.number, update.at)) is not None and shown <= at
        ]
        if self.in_place or not self.lists_all:
            seen = list({update.registration: update for update in seen}.values())
        return [
            self.record(update)
            for update in seen
            if (since is None or update.at >= since) and registration in {"", f"r-{update.registration}"}
        ]

    def lose(self, numbers: Iterable[int]) -> None:
        """Lose the pushes of some updates."""
        lost = set(numbers)
        self.pushes = [push for push in self.pushes if push.update.number not in lost]

    def change(self, number: int, **changes: Any) -> None:
        """Let the push of an update tell other values."""
        self.pushes = [replace(push, changes=changes) if push.update.number == number else push for push in self.pushes]

    def delay(self, number: int, delay: timedelta) -> None:
        """Let the push of an update come later."""
        self.pushes = [
            replace(push, at=push.at + delay) if push.update.number == number else push for push in self.pushes
        ]


class Operator:
    """Runs the pipeline's day over a vendor: pull, land, build, and repair if asked to."""

    def __init__(self, raw: Raw, vendor: Vendor, *, lookback: timedelta = 2 * DAY, settle_minutes: int = 120) -> None:
        self.raw, self.vendor, self.lookback = raw, vendor, lookback
        self.settle_minutes = settle_minutes
        self.covered_until = FIRST_DAY
        self._landed: set[int] = set()
        self._told: dict[tuple[str, str], dict[str, Any]] = {}

    def pull(self, as_of: datetime) -> None:
        """Load what a run at an instant is told, without building anything."""
        self.raw.begin_load(as_of, settle_minutes=self.settle_minutes)
        start = max(FIRST_DAY, self.covered_until - self.lookback)
        self._ask("daily", start, as_of, as_of, self.vendor.shown(as_of, start - PAD))
        self.raw.window("daily", start, as_of, as_of)
        self.covered_until = as_of
        self.raw.begin_load(as_of, settle_minutes=self.settle_minutes)
        for index, push in enumerate(self.vendor.pushes):
            if push.at <= as_of and index not in self._landed:
                self._landed.add(index)
                told = self.vendor.record(push.update, **push.changes)
                self.raw.deliver(f"delivery-{index:06d}", push.at, [(push.update.kind, told)])

    def repair(self, as_of: datetime) -> int:
        """Search for each registration of which the API owes something; say how many."""
        owed = self.raw.rows(
            "select distinct registration_id from audit.gaps"
            " where status = 'open' and kind in ('missing_api', 'behind_api')"
            " and (next_repair_at is null or next_repair_at <= (select max(as_of) from raw.runs)) order by all"
        )
        if owed:
            self.raw.begin_load(as_of, purpose="repair", settle_minutes=self.settle_minutes)
        for row in owed:
            found = self.vendor.shown(as_of, registration=row["registration_id"])
            self._ask("repair", FIRST_DAY, as_of, as_of, found)
            self.raw.window("repair", FIRST_DAY, as_of, as_of, search=row["registration_id"])
        return len(owed)

    def run(self, as_of: datetime) -> None:
        """Do all that a daily run does."""
        self.pull(as_of)
        self.raw.build()
        if self.repair(as_of):
            self.raw.build()

    def _ask(self, purpose: str, start: datetime, end: datetime, at: datetime, records: list[dict[str, Any]]) -> None:
        new = []
        for one in records:
            name = (one["transaction_id"], one["registration"])
            if self._told.get(name) != one:
                self._told[name] = one
                new.append(one)
        self.raw.call(purpose, start, end, at, new)
