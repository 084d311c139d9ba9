"""A loader that writes what the dlt sources yield straight into `raw`, for playing many days in little time.

That dlt comes to the same rows is held by tests/ingest; what is loaded, and in which load, is decided by the sources.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import dlt
import duckdb
import pyarrow as pa
from dlt.common.configuration.container import Container
from dlt.common.pipeline import StateInjectableContext, TPipelineState

from progress_pipeline.ingest.loading import Loader
from progress_pipeline.ingest.raw_tables import RAW_TABLES, RawTable
from progress_pipeline.ingest.rows import RunFacts
from progress_pipeline.warehouse.connection import connect

if TYPE_CHECKING:
    from dlt.extract import DltResource, DltSource

TABLES: dict[tuple[str, ...], RawTable] = {tuple(table.schema.names): table for table in RAW_TABLES}
LAST = 2**62
CURSORS: dict[Path, TPipelineState] = {}
"""The cursor of each warehouse, which dlt would keep in the warehouse itself."""


class PlainLoader(Loader):
    """Loads without dlt's pipeline."""

    def __init__(self, warehouse: Path, run: RunFacts) -> None:
        super().__init__(warehouse, run)
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._connection = self._open.enter_context(connect(self._warehouse))
        self.load_number = LAST  # no load is torn
        self._begin()
        ((loads,),) = self._connection.execute("select coalesce(max(load_number), 0) from raw.runs").fetchall()
        self.load_number = 1 + loads
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    @contextmanager
    def query(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give the connection."""
        yield self._connection

    def file(self, table: RawTable, data: pa.Table) -> "DltResource":
        """Give the rows as they are, without a file."""
        resource: DltResource = dlt.resource(list(self.items(table, data)), name=table.name)
        return resource

    def load(self, source: "DltSource") -> dict[str, int]:
        """Write what a source yields."""
        state = CURSORS.setdefault(self._warehouse, {})
        counts = {}
        with Container().injectable_context(StateInjectableContext(state=state)):
            for data in source:
                counts[TABLES[tuple(data.schema.names)].name] = data.num_rows
                self._write(TABLES[tuple(data.schema.names)], data)
        self.load_number += 1
        self._carried = {}
        return {table.name: counts.get(table.name, 0) for table in RAW_TABLES}

    def _write(self, table: RawTable, data: pa.Table) -> None:
        """Write rows, which `item` has left those out of whose key stands; updated ones take the place of the old."""
        connection, same = self._connection, " and ".join(f"stood.{key} = data.{key}" for key in table.key)
        connection.register("data", data)
        if table.is_updated:
            connection.execute(f"delete from raw.{table.name} as stood using data where {same}")  # noqa: S608 - our own
        connection.execute(f"insert into raw.{table.name} select * from data")  # noqa: S608 - the names are our own
        connection.unregister("data")
