"""The ledger's file: its tables, and what is kept in them. Which calls may leave is not decided here (`ledger`)."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from progress_pipeline.clock import Clock
from progress_pipeline.vendor.calls import Call, read_call, to_us

WAIT_SECONDS = 60.0

_SCHEMA = """
create table if not exists calls (
    call_id integer primary key autoincrement,
    purpose text not null,
    window_start integer,
    window_end integer,
    request text not null,
    counted_at integer not null,
    real_at integer not null,
    held_until integer not null,
    finished_at integer,
    outcome text not null default 'unfinished',
    http_status integer,
    row_count integer,
    vendor_count integer,
    byte_count integer,
    sha256 text,
    duration_seconds real,
    error text
) strict;
create index if not exists calls_by_hold on calls (held_until, counted_at, purpose);
create table if not exists refusals (refused_at integer not null, until_at integer not null, said text) strict;
create table if not exists knowledge (name text primary key, value text not null) strict;
"""


class LedgerFile:
    """One SQLite file; a context manager. Safe to open in many processes at once.

    Args:
        path: The file; it and its folder are made if absent.
        clock: Gives the time.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self.clock = clock
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _begin(self) -> None:
        self._connection.execute("pragma synchronous = full")
        with self.transaction() as connection:
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
        # A call is then one sync instead of five. The file stays so; whoever finds it in use leaves it to the next.
        with suppress(sqlite3.OperationalError):
            self._connection.execute("pragma journal_mode = wal")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction that no other process can come between; it is rolled back on an error."""
        connection = self._connection
        connection.execute("begin immediate")
        try:
            yield connection
        except BaseException:
            connection.execute("rollback")
            raise
        connection.execute("commit")

    def calls_since(self, call_id: int) -> list[Call]:
        """Give the calls with a greater number, ascending."""
        rows = self._connection.execute(
            "select call_id, purpose, window_start, window_end, request, counted_at, finished_at, outcome, "
            "http_status, row_count, vendor_count, byte_count, sha256, duration_seconds, error from calls "
            "where call_id > ? order by call_id",
            (call_id,),
        ).fetchall()
        return [read_call(row) for row in rows]

    def rows_told(self, start: datetime, end: datetime) -> int | None:
        """Give how many rows the vendor said that a span holds at most: the least of all answers about a longer one."""
        row = self._connection.execute(
            "select min(max(row_count, coalesce(vendor_count, 0))) from calls "
            "where outcome = 'answered' and window_start <= ? and window_end >= ? "
            "and json_extract(request, '$.search') = '' and json_extract(request, '$.start') = 0 "
            "and (vendor_count > row_count or row_count < json_extract(request, '$.number'))",
            (to_us(start), to_us(end)),
        ).fetchone()
        return None if row[0] is None else int(row[0])

    def last_call_id(self) -> int:
        """Give the number of the newest call, 0 if there is none."""
        row = self._connection.execute("select max(call_id) from calls").fetchone()
        return int(row[0] or 0)

    def know(self, name: str, value: object) -> None:
        """Keep a piece of knowledge about the vendor beside its calls."""
        with self.transaction() as connection:
            text = json.dumps(value, sort_keys=True)
            connection.execute("insert or replace into knowledge values (?, ?)", (name, text))

    def known(self) -> dict[str, Any]:
        """Give all knowledge kept."""
        rows = self._connection.execute("select name, value from knowledge")
        return {name: json.loads(value) for name, value in rows}

    def forget(self, before: datetime) -> int:
        """Drop the calls counted before an instant, which the warehouse has long since; give how many."""
        with self.transaction() as connection:
            connection.execute("delete from refusals where until_at < ?", (to_us(before),))
            return connection.execute(
                "delete from calls where held_until < ? and counted_at < ?", (to_us(before), to_us(before))
            ).rowcount
