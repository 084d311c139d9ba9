"""One load: Arrow tables into `raw`, all of them or none, through a dlt pipeline.

Loads are counted from 1, and a load's number stands on every row that it brought. dlt commits the tables of a load one
after the other and its own `_dlt_loads` last, so rows of a load that is not in `_dlt_loads` are torn. A `Loader`
removes them before anything else; what they held was not yet called covered, or read, and is brought again.

dlt's working folder lives only as long as the `Loader`. Its state comes back from the warehouse, so a cursor is
believed only if the load that moved it was finished.
"""

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import dlt
import pyarrow as pa
from dlt.destinations.exceptions import DestinationConnectionError
from dlt.pipeline.exceptions import PipelineStepFailed
from pyarrow.parquet import ParquetWriter

from progress_pipeline.errors import WarehouseBusyError, WarehouseError
from progress_pipeline.ingest.appending import ready
from progress_pipeline.ingest.dlt_context import closed_context
from progress_pipeline.ingest.lean_imports import keep_imports_lean
from progress_pipeline.ingest.raw_tables import INSTANT, RAW_TABLES, RUNS, RawTable, ddl
from progress_pipeline.ingest.rows import RunFacts, arrow

if TYPE_CHECKING:
    import duckdb
    from dlt.extract import DltResource, DltSource

SCHEMA = "raw"
ROWS_A_PIECE = 50_000
"""Rows that dlt writes at once; a piece is a row group of its Parquet file, all of which is held in memory."""
ROWS_A_GROUP = 10_000
"""Rows of a group in a file that is written here, which DuckDB reads at once."""
DUCKDB_ROWS = 122_880
"""Rows that DuckDB writes at once, and holds in memory until then."""
MEMORY_LIMIT = "128MB"
"""Memory that DuckDB may fill while it loads; what does not fit goes to disk."""
MUCH_BYTES = 64_000_000
"""Bytes of so many rows from which on that is not enough, and DuckDB may fill three times as much as they are."""
_TYPES = {
    pa.string(): "text",
    pa.int64(): "bigint",
    pa.float64(): "double",
    pa.bool_(): "bool",
    INSTANT: "timestamp",
}


def _hints(table: RawTable, disposition: Any) -> dict[str, Any]:
    """Give what dlt is to know of a raw table."""
    columns: dict[str, Any] = {
        field.name: {
            "name": field.name,
            "data_type": _TYPES[field.type],
            "nullable": field.nullable,
            **({"timezone": False} if field.type == INSTANT else {}),
        }
        for field in table.schema
    }
    return {
        "table_name": table.name,
        "primary_key": table.key,
        "write_disposition": disposition,
        "columns": columns,
    }


class Loader:
    """Loads into the raw tables of one warehouse; a context manager, one at a time.

    Attributes:
        run: What `raw.runs` tells of the run.
        load_number: The number that the next load will have.
    """

    def __init__(self, warehouse: Path, run: RunFacts) -> None:
        self._warehouse = warehouse
        self.run = run
        self._stack = ExitStack()
        self.load_number = 1
        self._carried: dict[str, tuple[RawTable, pa.Table]] = {}
        self._held: duckdb.DuckDBPyConnection | None = None

    def __enter__(self) -> Self:
        keep_imports_lean()
        self._warehouse.parent.mkdir(parents=True, exist_ok=True)
        # Arrow's own pool keeps what was freed; what a load held is to be there for the next.
        pa.set_memory_pool(pa.system_memory_pool())
        prefix = f".{self._warehouse.name}.loading-"
        for leftover in self._warehouse.parent.glob(f"{prefix}*"):
            # A killed run could not remove its own; one loader at a time, so nobody works in it.
            shutil.rmtree(leftover, ignore_errors=True)
        folder = self._stack.enter_context(
            tempfile.TemporaryDirectory(prefix=prefix, dir=self._warehouse.parent, ignore_cleanup_errors=True)
        )
        self._stack.enter_context(closed_context(folder))
        self._pipeline = dlt.pipeline(
            "progress_pipeline",
            pipelines_dir=folder,
            destination=dlt.destinations.duckdb(str(self._warehouse.absolute())),  # dlt would begin in its own folder
            dataset_name=SCHEMA,
        )
        try:
            with _as_our_errors(self._warehouse):
                self._begin()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pipeline.deactivate()
        self._stack.close()

    def carry(self, tables: Iterable[tuple[RawTable, pa.Table]]) -> None:
        """Take tables along in the next load, which costs less than a load of their own."""
        for table, data in tables:
            if data.num_rows:
                _, before = self._carried.get(table.name, (table, table.schema.empty_table()))
                self._carried[table.name] = (table, pa.concat_tables([before, data]))

    @property
    def is_carrying(self) -> bool:
        """Whether something waits for a load to take it along."""
        return bool(self._carried)

    def load(self, source: "DltSource") -> dict[str, int]:
        """Load what a source yields and what is carried, all of it or nothing that counts.

        Args:
            source: A source whose resources yield what `item` gives, with this `load_number` on every row.

        Returns:
            Rows inserted by table.

        Raises:
            WarehouseError: dlt or DuckDB failed; nothing of this load counts, and the next run brings it again.
        """
        # dlt opens the file for each table and closes it again; held open here, it is read and synced once.
        with self.query():
            for table, data in self._carried.values():
                if _is_much(data):
                    source.resources.add(self.file(table, data))
            self._pipeline.run(source, loader_file_format="parquet")
        self.load_number += 1
        self._carried = {}
        trace = self._pipeline.last_trace
        normalized = trace.last_normalize_info if trace else None
        counts = normalized.row_counts if normalized else {}
        return {table.name: counts.get(table.name, 0) for table in RAW_TABLES}

    def items(self, table: RawTable, data: pa.Table) -> Iterator[Any]:
        """Give what a dlt resource yields for rows of a raw table, while it is loaded: a piece of them at a time.

        Rows are appended, since that costs dlt least. So those whose key stands there already, or came before in
        `data`, are left out; in a table whose rows are updated, they go dlt's longer way and take the place of the old.
        """
        if not data.num_rows:
            return
        data, disposition = self._ready(table, data)
        hints = dlt.mark.make_hints(**_hints(table, disposition))
        for start in range(0, data.num_rows, ROWS_A_PIECE):
            yield dlt.mark.with_hints(data.slice(start, ROWS_A_PIECE), hints, create_table_variant=True)

    def file(self, table: RawTable, data: pa.Table) -> "DltResource":
        """Write many rows of a raw table down and give the dlt resource of the file, which dlt takes as it is.

        dlt's own file would be packed, with a dictionary for each column, only to be unpacked a moment later. `data`
        can be let go; rows whose key stands there already go as with `items`.
        """
        data, disposition = self._ready(table, data)
        path = Path(self._pipeline.pipelines_dir) / f"{table.name}-{self.load_number}.parquet"
        with ParquetWriter(
            path, table.schema, compression="none", use_dictionary=False, write_statistics=False
        ) as writer:
            writer.write_table(data, row_group_size=ROWS_A_GROUP)
        if _crowded(data) > MUCH_BYTES:
            self._allow(3 * _crowded(data))
        count = data.num_rows

        @dlt.resource(name=table.name, **_hints(table, disposition))
        def rows() -> Iterator[Any]:
            yield dlt.mark.with_file_import(str(path), "parquet", count)
            path.unlink()

        resource: DltResource = rows()
        return resource

    def _allow(self, byte_count: int) -> None:
        """Let DuckDB fill so much memory, if it may not already."""
        with self.query() as connection:
            ((most,),) = connection.execute("select parse_formatted_bytes(current_setting('memory_limit'))").fetchall()
            connection.execute(f"set memory_limit = '{max(int(most), byte_count)}B'")

    def _ready(self, table: RawTable, data: pa.Table) -> tuple[pa.Table, Any]:
        with self.query() as connection:
            return ready(connection, table, data)

    def carried(self) -> Iterator[Any]:
        """Give the items that every load takes along: what is carried, if not as a file, and the row of `raw.runs`."""
        for table, data in [*self._carried.values(), (RUNS, arrow(RUNS, [self.run.row(self.load_number)]))]:
            if not _is_much(data):
                yield from self.items(table, data)

    @contextmanager
    def query(self) -> Iterator["duckdb.DuckDBPyConnection"]:
        """Open the warehouse for reading what was loaded; inside another `query` it is open already."""
        if self._held is not None:
            yield self._held
            return
        with _as_our_errors(self._warehouse), self._pipeline.sql_client() as client:
            self._held = client.native_connection
            self._held.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
            try:
                yield self._held
            finally:
                # Both are the whole process's, and a run that has the file open does more than load.
                self._held.execute("reset memory_limit; reset threads")
                self._held = None

    def _begin(self) -> None:
        """Make the tables that are not there yet, count the finished loads, remove the rows of one that was not."""
        with self.query() as connection, _at_once(connection):
            connection.execute(f"create schema if not exists {SCHEMA}")
            there = {
                row[0]
                for row in connection.execute(
                    "select table_name from duckdb_tables() where schema_name = $1", [SCHEMA]
                ).fetchall()
            }
            for table in RAW_TABLES:
                if table.name not in there:
                    connection.execute(ddl(table))
            if "_dlt_loads" in there:
                ((finished,),) = connection.execute("select count(*) from raw._dlt_loads where status = 0").fetchall()
                self.load_number = 1 + finished
            for table in RAW_TABLES:
                # The name is one of our own.
                statement = f"delete from raw.{table.name} where load_number >= $1"  # noqa: S608
                connection.execute(statement, [self.load_number])


def _is_much(data: pa.Table) -> bool:
    """Say whether rows are so many, or so long, that they go as a file."""
    return data.num_rows > ROWS_A_PIECE or _crowded(data) > MUCH_BYTES


def _crowded(data: pa.Table) -> int:
    """Give the bytes of as many rows as DuckDB writes at once."""
    return int(data.nbytes * min(1, DUCKDB_ROWS / max(data.num_rows, 1)))


@contextmanager
def _at_once(connection: "duckdb.DuckDBPyConnection") -> Iterator[None]:
    """Do some statements in one transaction, which is synced to disk once."""
    connection.execute("begin")
    try:
        yield
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


@contextmanager
def _as_our_errors(warehouse: Path) -> Iterator[None]:
    """Turn dlt's exceptions into ours, with what to do next."""
    try:
        yield
    except PipelineStepFailed as error:
        reason = str(error.exception or error)
        raise WarehouseError(
            f"Loading into {warehouse} failed at dlt's step {error.step}: {reason}. Nothing of this load counts; "
            "correct the cause and run again."
        ) from error
    except DestinationConnectionError as error:
        said = str(error.__cause__ or error)
        if "Could not set lock" not in said:
            raise WarehouseError(
                f"{warehouse} cannot be opened for writing: {said}. If the file is broken, bring it back from a copy, "
                "or move it away: the next run fills a new one with what the vendor still lists and what has landed."
            ) from error
        raise WarehouseBusyError(
            f"{warehouse} cannot be opened for writing: {error}. If another process holds it, wait for it to end."
        ) from error
