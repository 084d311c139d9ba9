"""Dagster's own event log in SQLite, with connections that stay open.

A run of ours tells some two hundred events within seconds. The storage that this one is built on makes an engine, opens
the file, syncs it and closes it again for each of them, up to three times, which takes a third of a daily run. Here each
file's connection stays open as long as the process, and SQLite syncs when it checkpoints (WAL with `synchronous =
normal`: a power cut can take the newest events of a log, never break it). The files are the same, so `dagster.yaml` can
go back to the default at any time.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import sqlalchemy as db
from dagster._core.storage.event_log import SqliteEventLogStorage  # where dagster.yaml names it, too
from sqlalchemy.pool import StaticPool

BUSY_SECONDS = 30
FILES_OPEN = 8
"""Files that stay open: the index over all runs, and the runs that were looked at last."""


class PooledSqliteEventLogStorage(SqliteEventLogStorage):
    """SQLite event log storage that keeps one connection a file."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        self._engines: dict[str, db.Engine] = {}
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> Self:
        """Make it from its part of `dagster.yaml`."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[db.Connection]:
        """Open a transaction on a file; one at a time in this process."""
        with self._db_lock:
            engine = self._engines.pop(shard, None) or self._open(shard)
            self._engines[shard] = engine
            while len(self._engines) > FILES_OPEN:
                self._engines.pop(next(iter(self._engines))).dispose()
            with engine.begin() as connection:
                yield connection

    def _open(self, shard: str) -> db.Engine:
        engine = db.create_engine(
            self.conn_string_for_shard(shard),
            poolclass=StaticPool,
            connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        )
        self._initdb(engine)
        with engine.connect() as connection:
            connection.exec_driver_sql("pragma synchronous = normal")
        return engine

    def dispose(self) -> None:
        """Close all connections."""
        super().dispose()
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
