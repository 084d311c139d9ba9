"""The dlt source of what the webhook told: landed files, each read exactly once.

    landing folder ──new files──> one load: webhook_files, webhook_deliveries, webhook_updates, webhook_refusals,
                                            rejects, runs

A file is known by its identity in `raw.webhook_files`, which is committed in the same load as what stood in it. A load
that did not finish is removed, manifest and all, so its files are new again. How a file becomes rows is the subject of
`deliveries`.
"""

import gc
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import dlt
from dlt.extract import DltResource

from progress_pipeline.clock import Clock
from progress_pipeline.errors import LandingError
from progress_pipeline.ingest.deliveries import Gathered
from progress_pipeline.ingest.loading import Loader
from progress_pipeline.ingest.raw_tables import (
    REJECTS,
    WEBHOOK_DELIVERIES,
    WEBHOOK_FILES,
    WEBHOOK_REFUSALS,
    WEBHOOK_UPDATES,
)
from progress_pipeline.landing.archiving import KEEP, put_away
from progress_pipeline.landing.finding import LandedFile, find_files
from progress_pipeline.landing.reading import ChangedError

logger = logging.getLogger(__name__)

BYTES_A_LOAD = 128 * 1024 * 1024
"""Bytes of landed files that one load takes, so that memory is bounded however much has landed."""
FILES_AHEAD, BYTES_AHEAD = 100, 1024 * 1024
"""Files that are found at once, ahead of those that are read, and their bytes."""


@dataclass
class LandReport:
    """What was read and loaded.

    Attributes:
        files: Files read.
        deliveries: Deliveries in them.
        updates: Updates in those.
        rejects: Things that could not be read as a record, or as a delivery.
        refusals: Requests that the receiver refused, as its journal tells.
    """

    files: int = 0
    deliveries: int = 0
    updates: int = 0
    rejects: int = 0
    refusals: int = 0


def load_landed(loader: Loader, landing: Path, *, now: datetime) -> LandReport:
    """Read every landed file that was not loaded before.

    The last part of it is left with the loader, to be carried by the next load: `loader.load(webhook(loader))` where
    nothing else follows.

    Args:
        loader: The open loader.
        landing: The landing folder; one that does not exist holds nothing.
        now: The instant that the run takes as now.

    Raises:
        WarehouseError: A load failed; its files are read again by the next run.
    """
    report = LandReport()
    known, known_ids = _known_files(loader)
    gathered = Gathered(now=now, load_number=loader.load_number)
    for file in _found_ahead(find_files(landing, known=known, known_ids=frozenset(known_ids))):
        if file.file_id in known_ids:
            continue
        known_ids.add(file.file_id)
        try:
            with _collector_at_rest():
                gathered.read(landing, file)
        except ChangedError as changed:
            logger.info("%s %s; it is left for the next run", file.file, changed)
            continue
        if gathered.byte_count >= BYTES_A_LOAD:
            _carry(loader, gathered, report)
            loader.load(webhook(loader))
            gathered = Gathered(now=now, load_number=loader.load_number)
    if not gathered.is_empty:
        _carry(loader, gathered, report)
    return report


def _found_ahead(files: Iterator[LandedFile]) -> Iterator[LandedFile]:
    """Have the next files found, which is to hash them, while some are read: hashing leaves Python to others."""
    with ThreadPoolExecutor(1, thread_name_prefix="finding-files") as aside:
        coming = aside.submit(_some_of, files)
        while some := coming.result():
            coming = aside.submit(_some_of, files)
            yield from some


def _some_of(files: Iterator[LandedFile]) -> list[LandedFile]:
    """Take some files, few if they are large; none at the end."""
    some: list[LandedFile] = []
    while len(some) < FILES_AHEAD and sum(file.byte_count for file in some) < BYTES_AHEAD:
        file = next(files, None)
        if file is None:
            break
        some.append(file)
    return some


def put_loaded_away(loader: Loader, landing: Path, *, how: str, clock: Clock) -> None:
    """Put the files away that committed loads have read; what cannot be done now is told, and done by a later run."""
    if how == KEEP:
        return
    _, loaded_ids = _known_files(loader)
    try:
        put_away(landing, loaded_ids=loaded_ids, how=how, clock=clock)
    except LandingError as error:
        logger.warning("%s", error)


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Keep Python's collector of cycles from looking: reading makes none, and its looking costs a fifth of the load."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _known_files(loader: Loader) -> tuple[dict[str, tuple[int, int]], set[str]]:
    """Give what is known by its looks, and all identities.

    Where nothing could be read, looks tell nothing: what was in the way (a right, the disk) may go without a trace.
    """
    with loader.query() as connection:
        rows = connection.execute(
            "select file, byte_count, modified_ns, file_id, error is null or delivery_count > 0 "
            "from raw.webhook_files order by load_number"
        ).fetchall()
    return {row[0]: (row[1], row[2]) for row in rows if row[4]}, {row[3] for row in rows}


def _carry(loader: Loader, gathered: Gathered, report: LandReport) -> None:
    """Give what is gathered to the loader, and add it to the report."""
    tables = gathered.tables()
    loader.carry(tables)
    counts = {table.name: data.num_rows for table, data in tables}
    report.files += counts[WEBHOOK_FILES.name]
    report.deliveries += counts[WEBHOOK_DELIVERIES.name]
    report.updates += counts[WEBHOOK_UPDATES.name]
    report.rejects += counts[REJECTS.name]
    report.refusals += counts[WEBHOOK_REFUSALS.name]


@dlt.source(name="raw")
def webhook(loader: Loader) -> DltResource:
    """Give dlt what the loader carries."""

    @dlt.resource(name="webhook")
    def landed() -> Iterator[Any]:
        yield from loader.carried()

    return landed()
