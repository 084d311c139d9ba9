"""Opening the DuckDB file: one writing process, always in UTC, always closed.

What DuckDB says when a file is locked, missing or broken becomes an error of ours here, with what to do about it.
Nothing here knows which tables the file holds.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from progress_pipeline.errors import WarehouseBusyError, WarehouseError
from progress_pipeline.warehouse.sql_folder import PRELUDE

WAIT_SECONDS = 30.0
"""How long a locked file is waited for, unless the caller says otherwise."""

SCHEMA_NAMES = frozenset({"raw", "staging", "intermediate", "marts", "audit", "build"})
"""Names that a DuckDB file of ours cannot bear: inside it, `raw.table` would mean two things."""

_LOCKED = "Could not set lock"
"""What DuckDB says of a file that another process has open."""

_POLL_SECONDS = 0.1
_HOLDER = re.compile(r"held in (?P<program>.+?) \(PID (?P<pid>\d+)\)")


@contextmanager
def connect(
    path: Path,
    *,
    read_only: bool = False,
    wait_seconds: float = WAIT_SECONDS,
    memory_limit: str | None = None,
    threads: int | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB file, and close it whatever happens.

    The session is in UTC, never fetches an extension from the network, draws no bar on standard output, and knows the
    functions of the prelude. What
    does not fit in memory is spilled beside the file, in `<file>.tmp`.

    Args:
        path: The file; made, with its folder, if it is to be written and is not there.
        read_only: Open for reading alone; such a connection still excludes a writer in another process.
        wait_seconds: How long to wait for another process to let go of the file.
        memory_limit: DuckDB's own notation, such as `2GB`; for the whole process.
        threads: Threads that DuckDB may use; for the whole process.

    Yields:
        The connection.

    Raises:
        WarehouseBusyError: Somebody else still holds the file.
        WarehouseError: The file is not there, or is no DuckDB file, or cannot be written, or bears a schema's name.
    """
    if path.stem.lower() in SCHEMA_NAMES:
        raise WarehouseError(
            f"{path} bears the name of a schema, so DuckDB could not tell {path.stem}.table in it. Call it otherwise."
        )
    if not read_only:
        path.parent.mkdir(parents=True, exist_ok=True)
    connection = _open(path, read_only=read_only, wait_seconds=wait_seconds)
    try:
        prepare(connection)
        if memory_limit is not None:
            connection.execute("set memory_limit = $limit", {"limit": memory_limit})
        if threads is not None:
            connection.execute("set threads = $threads", {"threads": threads})
        yield connection
    finally:
        connection.close()


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Make a session what all of ours are; a further connection to an open file is a session of its own."""
    connection.execute("set autoinstall_known_extensions = false; set enable_progress_bar = false")
    run_prelude(connection)


def run_prelude(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the functions of the prelude known to this connection, and set it to UTC."""
    connection.execute(PRELUDE.read_text(encoding="utf-8"))


def catalog(connection: duckdb.DuckDBPyConnection) -> str:
    """Give the name of the open database, quoted, as it stands before `.schema.table`."""
    ((name,),) = connection.execute("select current_catalog()").fetchall()
    return '"' + str(name).replace('"', '""') + '"'


def literal(text: str) -> str:
    """Give a text as it stands in a statement that takes no parameters."""
    return "'" + text.replace("'", "''") + "'"


def _open(path: Path, *, read_only: bool, wait_seconds: float) -> duckdb.DuckDBPyConnection:
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only)
        except duckdb.ConnectionException as error:
            raise WarehouseBusyError(
                f"{path} is already open in this process in another way (for reading, or with other settings). "
                "Close that connection first."
            ) from error
        except duckdb.Error as error:
            if _LOCKED not in str(error) or path.is_dir():
                raise _unusable(path, error, read_only=read_only) from error
            if time.monotonic() >= deadline:
                raise _busy(path, error, wait_seconds) from error
        time.sleep(_POLL_SECONDS)


def _busy(path: Path, error: duckdb.Error, waited: float) -> WarehouseBusyError:
    holder = _HOLDER.search(str(error))
    who = f"process {holder['pid']} ({holder['program']})" if holder else "another process"
    return WarehouseBusyError(
        f"{path} is held by {who}, and still was after {waited:g} seconds. Wait until its run is done, or end it; "
        "to look at data meanwhile, open the published file."
    )


def _unusable(path: Path, error: duckdb.Error, *, read_only: bool) -> WarehouseError:
    if read_only and not path.exists():
        return WarehouseError(f"There is no DuckDB file at {path} yet. The first run makes it.")
    return WarehouseError(
        f"{path} cannot be opened: {error}. If the file is broken, bring it back from a copy, or move it away: the "
        "next run publishes anew, and fills a warehouse anew with what the vendor still lists and what has landed."
    )
