"""One writer at a time, over processes: a lock file beside the warehouse.

DuckDB itself lets one process write, and refuses the next one. Who comes second here waits, and is told for whom. The
kernel gives the lock back when its holder dies, however it dies.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from progress_pipeline.errors import WarehouseBusyError

WAIT_SECONDS = 600.0
"""How long a run waits for another."""


@contextmanager
def writing(warehouse: Path, *, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Hold the warehouse for writing.

    Args:
        warehouse: The DuckDB file; it need not exist.
        wait_seconds: How long to wait for another process.

    Raises:
        WarehouseBusyError: Another process still holds it.
    """
    warehouse.parent.mkdir(parents=True, exist_ok=True)
    path = warehouse.with_name(warehouse.name + ".lock")
    lock = FileLock(path)
    try:
        lock.acquire(timeout=wait_seconds)
    except Timeout as error:
        holder = path.read_text(encoding="utf-8").strip() if path.exists() else ""
        who = f"process {holder}" if holder else "another process"
        raise WarehouseBusyError(
            f"{warehouse} is being written by {who}, and still was after {wait_seconds:g} seconds. "
            "Wait until its run is done, or end it, and run again."
        ) from error
    try:
        path.write_text(f"{os.getpid()}\n", encoding="utf-8")
        yield
    finally:
        lock.release()
