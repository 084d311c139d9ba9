"""A small vendor played onto raw tables: what happened, what each witness told of it, and the runs that loaded it.

It knows nothing of HTTP, files or dlt: rows of `raw` are written straight from what the vendor would have told, by the
schemas of `raw_tables`. What the models make of them is for the tests.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Any

import duckdb
import pyarrow as pa

from progress_pipeline.ingest.raw_tables import RAW_TABLES, RECORD_COLUMNS, RawTable
from progress_pipeline.warehouse.building import Built, build
from progress_pipeline.warehouse.models import SCHEMAS, Model, read_models
from progress_pipeline.warehouse.sql_folder import SQL_FOLDER

TABLES: dict[str, RawTable] = {table.name: table for table in RAW_TABLES}
FIELDS = [column.name for column in RECORD_COLUMNS if column.name not in {"extra", "record_hash"}]
FIRST_DAY = datetime(2026, 1, 1)  # noqa: DTZ001 - raw instants are UTC without a zone
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PAD = timedelta(hours=38)


@cache
def all_models() -> tuple[Model, ...]:
    """Read the project's models, once."""
    return read_models(SQL_FOLDER)


NO_WATERMARK = {
    "audit.watermarks": "select 'started' as update_kind, cast(null as timestamp) as agreed_until limit 0",
}
"""Stands in for the watermarks, and so for the whole audit, where a test is about facts alone."""


def models_behind(names: Collection[str], without: Collection[str] = ()) -> list[Model]:
    """Give the named models and all that they read, each after those it reads; some are left out."""
    needed = set(names)
    for model in reversed(all_models()):
        if model.name in needed:
            needed.update(set(model.depends_on) - set(without))
    return [model for model in all_models() if model.name in needed]


def record(**values: Any) -> dict[str, Any]:
    """Make a record of either witness: text or None for each of the twelve fields, and their hash."""
    plain: dict[str, Any] = {
        "transaction_id": 1,
        "first_name": "Ada",
        "last_name": "Byron",
        "email": "ada@example.invalid",
        "member_identifier": "100",
        "activity_id": "https://example.invalid/a",
        "activity_title": "Algebra",
        "registration": "r-1",
        "date_started": "2026-01-01T08:00:00",
        "progress": 0,
        "date_completed": "",
        "completion_code": "",
        **values,
    }
    row: dict[str, Any] = {name: None if plain[name] is None else str(plain[name]) for name in FIELDS}
    row["extra"] = None
    row["record_hash"] = hashlib.sha256("\x1f".join(str(row[name]) for name in FIELDS).encode()).hexdigest()[:32]
    return row


class Raw:
    """The raw tables of a warehouse in memory, and the models over them.

    Attributes:
        load_number: The newest load.
        call_id: The newest call.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._pending: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
        self.load_number = 0
        self.call_id = 0
        connection.execute("create schema if not exists raw")
        for table in RAW_TABLES:
            connection.from_arrow(table.schema.empty_table()).create(f"raw.{table.name}")

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The connection, with all rows written."""
        for table, rows in self._pending.items():
            if rows:
                schema = TABLES[table].schema
                columns = {name: [row.get(name) for row in rows] for name in schema.names}
                self._connection.from_arrow(pa.table(columns, schema=schema)).insert_into(f"raw.{table}")
                rows.clear()
        return self._connection

    def insert(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write rows as the newest load; what a row leaves out is null."""
        self._pending[table] += [{"load_number": self.load_number, **row} for row in rows]

    def told_by_api(self, as_of: datetime, *records: dict[str, Any], purpose: str = "daily") -> None:
        """Do a run that pulls all there is to an instant, and is told some records."""
        self.begin_load(as_of, purpose=purpose)
        self.call(purpose, FIRST_DAY, as_of, as_of, list(records))
        self.window(purpose, FIRST_DAY, as_of, as_of)

    def told_by_webhook(self, received_at: datetime, kind: str, one: dict[str, Any]) -> None:
        """Land a delivery of one update, in the newest load."""
        self.deliver(f"delivery-{received_at}-{one['transaction_id']}", received_at, [(kind, one)])

    def begin_load(self, as_of: datetime, **settings: Any) -> None:
        """Begin a load of a run, with the settings that it judges by."""
        self.load_number += 1
        plain = {
            "run_id": f"run at {as_of}",
            "as_of": as_of,
            "purpose": "daily",
            "start_at": FIRST_DAY,
            "settle_minutes": 120,
            "lookback_days": 2,
            "daily_calls": 500,
        }
        self.insert("runs", [{**plain, **settings}])

    def call(self, purpose: str, start: datetime, end: datetime, at: datetime, records: list[dict[str, Any]]) -> int:
        """Write down a call and the records of its answer; of those that stand as told, nothing new is written."""
        self.call_id += 1
        self.insert(
            "api_calls",
            [
                {
                    "call_id": self.call_id,
                    "purpose": purpose,
                    "window_start": start - PAD,
                    "window_end": end + PAD,
                    "counted_at": at,
                    "finished_at": at,
                    "outcome": "answered",
                }
            ],
        )
        rows = [
            {**one, "call_id": self.call_id, "position": position, "observed_at": at}
            for position, one in enumerate(records)
        ]
        self.insert("api_progress", rows)
        return self.call_id

    def window(self, purpose: str, start: datetime, end: datetime, at: datetime, **changes: Any) -> None:
        """Write down an attempt to cover a window, by the newest call; complete unless said otherwise."""
        plain = {
            "window_id": f"{purpose} {start} {end} {at} {self.call_id}",
            "purpose": purpose,
            "window_start": start,
            "window_end": end,
            "attempted_at": at,
            "first_call_id": self.call_id,
            "last_call_id": self.call_id,
            "call_count": 1,
            "distinct_rows": 0,
            "is_complete": True,
            "proof": "one answer",
            "covered_until": end,
        }
        self.insert("api_windows", [{**plain, **changes}])

    def deliver(self, delivery_id: str, received_at: datetime, updates: list[tuple[str, dict[str, Any]]]) -> None:
        """Write down a delivery with updates, each a kind and a record."""
        kinds = [kind for kind, _ in updates]
        self.insert(
            "webhook_deliveries",
            [
                {
                    "delivery_id": delivery_id,
                    "received_at": received_at,
                    "byte_count": 1,
                    "sha256": delivery_id,
                    "started_count": kinds.count("started"),
                    "progressed_count": kinds.count("progressed"),
                    "completion_count": kinds.count("completion"),
                    "reject_count": 0,
                }
            ],
        )
        self.insert(
            "webhook_updates",
            [
                {**one, "kind": kind, "delivery_id": delivery_id, "position": position, "received_at": received_at}
                for position, (kind, one) in enumerate(updates)
            ],
        )

    def make(self, *names: str, stand_ins: Mapping[str, str] | None = None) -> None:
        """Make models whole with all that they read, each by its SELECT alone; every model if none is named.

        Args:
            names: The models.
            stand_ins: SELECTs that stand in for models, and for what those alone read.
        """
        instead = stand_ins or {}
        for schema in SCHEMAS:
            self.connection.execute(f"create schema if not exists {schema}")
        for name, sql in instead.items():
            self.connection.execute(f"create view {name} as {sql}")
        for model in models_behind(names, instead) if names else all_models():
            kind = "view" if model.materialized == "view" else "table"
            self.connection.execute(f"create {kind} {model.name} as {model.sql}")

    def build(self, *, full_refresh: bool = False) -> list[Built]:
        """Bring the models up to date."""
        return build(self.connection, all_models(), full_refresh=full_refresh)

    def one(self, sql: str) -> dict[str, Any]:
        """Give the only row of a query."""
        (row,) = self.rows(sql)
        return row

    def table(self, name: str, columns: str, order: str = "all") -> list[tuple[Any, ...]]:
        """Give columns of a table, in order."""
        return self.values(f"select {columns} from {name} order by {order}")  # noqa: S608 - a test's own words

    def values(self, sql: str) -> list[tuple[Any, ...]]:
        """Give the rows of a query, without their names."""
        return self.connection.execute(sql).fetchall()

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Give the rows of a query, by column."""
        cursor = self.connection.execute(sql)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


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
        self._told: dict[tuple[str, str], str] = {}

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
            if self._told.get(name) != one["record_hash"]:
                self._told[name] = one["record_hash"]
                new.append(one)
        self.raw.call(purpose, start, end, at, new)
