"""Dagster's own event log in one SQLite file, over a connection that stays open.

A run of ours tells some two hundred events within seconds. Dagster's default storage makes a database for each run, and
for each event makes an engine, opens a file, syncs it and closes it again, up to three times: a third of a daily run.
Here all runs stand in one file, its connection stays open as long as the process, and SQLite syncs when it checkpoints
(WAL with `synchronous = normal`: a power cut can take the newest events of the log, never break it). Which tables and
columns the file has is asked once, and not again for each event.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import sqlalchemy as db
from dagster._core.storage.event_log import AssetKeyTable, ConsolidatedSqliteEventLogStorage
from sqlalchemy.pool import StaticPool

BUSY_SECONDS = 30


class PooledSqliteEventLogStorage(ConsolidatedSqliteEventLogStorage):
    """SQLite event log storage that keeps one connection."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        self._engine: db.Engine | None = None
        self._one_at_a_time = threading.RLock()
        self._there: set[tuple[str, str]] = set()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> Self:
        """Make it from its part of `dagster.yaml`."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self) -> Iterator[db.Connection]:
        """Open a transaction; one at a time in this process."""
        with self._one_at_a_time:
            if self._engine is None:
                self._engine = db.create_engine(
                    self._conn_string,
                    poolclass=StaticPool,
                    connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
                )
                with self._engine.connect() as connection:
                    connection.exec_driver_sql("pragma synchronous = normal")
            with self._engine.begin() as connection:
                yield connection

    def has_table(self, table_name: str) -> bool:
        """Say whether a table is there."""
        with self._connect() as connection:
            return self._has(table_name, "", lambda: db.inspect(connection).has_table(table_name))

    def _has_asset_key_col_on_connection(self, conn: db.Connection, column_name: str) -> bool:
        """Say whether the table of assets has a column."""
        table = AssetKeyTable.name

        def look() -> bool:
            return any(each["name"] == column_name for each in db.inspect(conn).get_columns(table))

        return self._has(table, column_name, look)

    def _has(self, table: str, column: str, look: Callable[[], bool]) -> bool:
        """Remember what was found to be there; what is not there yet may come."""
        if (table, column) not in self._there and look():
            self._there.add((table, column))
        return (table, column) in self._there

    def dispose(self) -> None:
        """Close the connection."""
        super().dispose()  # type: ignore[no-untyped-call]
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None
