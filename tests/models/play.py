"""Raw tables written by hand: what each witness told, and the runs that loaded it.

It knows nothing of HTTP, files or dlt: rows of `raw` are written straight from what the vendor would have told, by the
schemas of `raw_tables`. What the models make of them is for the tests.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa

from progress_pipeline.ingest.raw_tables import RAW_TABLES, RECORD_COLUMNS, RawTable
from progress_pipeline.warehouse.building import Built, build
from progress_pipeline.warehouse.models import SCHEMAS, Model, read_models
from progress_pipeline.warehouse.sql_folder import SQL_FOLDER

TABLES: dict[str, RawTable] = {table.name: table for table in RAW_TABLES}
FIELDS = [column.name for column in RECORD_COLUMNS if column.name != "extra"]
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
