"""The dlt source of what the webhook told: landed files, each read exactly once.

    landing folder ──new files──> one load: webhook_files, webhook_deliveries, webhook_updates, webhook_refusals,
                                            rejects, runs

A file is known by its identity in `raw.webhook_files`, which is committed in the same load as what stood in it. A load
that did not finish is removed, manifest and all, so its files are new again.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa
from dlt.extract import DltResource

from progress_pipeline.errors import UnreadableAnswerError
from progress_pipeline.ingest.loading import Loader, arrow, naive
from progress_pipeline.ingest.raw_tables import (
    REJECTS,
    WEBHOOK_DELIVERIES,
    WEBHOOK_FILES,
    WEBHOOK_REFUSALS,
    WEBHOOK_UPDATES,
    RawTable,
)
from progress_pipeline.landing.reading import (
    LandedDelivery,
    LandedFile,
    LandedRefusal,
    Unreadable,
    find_files,
    read_file,
)
from progress_pipeline.vendor.records import Reject, read_bundle

BYTES_A_LOAD = 64 * 1024 * 1024
"""Bytes of landed files that one load takes, so that memory is bounded however much has landed."""


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


@dataclass
class _Gathered:
    """What one load will hold, still as rows or Arrow tables."""

    files: list[dict[str, object]] = field(default_factory=list)
    deliveries: list[dict[str, object]] = field(default_factory=list)
    updates: list[pa.Table] = field(default_factory=list)
    refusals: list[dict[str, object]] = field(default_factory=list)
    rejects: list[dict[str, object]] = field(default_factory=list)
    byte_count: int = 0


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
    gathered = _Gathered()
    for file in find_files(landing, known=known, known_ids=known_ids):
        if file.file_id in known_ids:
            continue
        known_ids.add(file.file_id)
        _gather(gathered, landing, file, now, loader.load_number)
        if gathered.byte_count >= BYTES_A_LOAD:
            _carry(loader, gathered, report)
            loader.load(webhook(loader))
            gathered = _Gathered()
    if gathered.files:
        _carry(loader, gathered, report)
    return report


def _known_files(loader: Loader) -> tuple[dict[str, tuple[int, int]], set[str]]:
    with loader.query() as connection:
        rows = connection.execute(
            "select file, byte_count, modified_ns, file_id from raw.webhook_files order by load_number"
        ).fetchall()
    return {row[0]: (row[1], row[2]) for row in rows}, {row[3] for row in rows}


def _carry(loader: Loader, gathered: _Gathered, report: LandReport) -> None:
    """Give what is gathered to the loader, and add it to the report."""
    tables: list[tuple[RawTable, pa.Table]] = [
        (WEBHOOK_DELIVERIES, arrow(WEBHOOK_DELIVERIES, gathered.deliveries)),
        (WEBHOOK_REFUSALS, arrow(WEBHOOK_REFUSALS, gathered.refusals)),
        (REJECTS, arrow(REJECTS, gathered.rejects)),
        (WEBHOOK_FILES, arrow(WEBHOOK_FILES, gathered.files)),
    ]
    if gathered.updates:
        tables.insert(0, (WEBHOOK_UPDATES, pa.concat_tables(gathered.updates).combine_chunks()))
    loader.carry(tables)
    report.files += len(gathered.files)
    report.deliveries += len(gathered.deliveries)
    report.updates += sum(table.num_rows for table in gathered.updates)
    report.rejects += len(gathered.rejects)
    report.refusals += len(gathered.refusals)


@dlt.source(name="raw")
def webhook(loader: Loader) -> DltResource:
    """Give dlt what the loader carries."""

    @dlt.resource(name="webhook")
    def landed() -> Iterator[Any]:
        yield from loader.carried()

    return landed()


def _gather(gathered: _Gathered, landing: Path, file: LandedFile, now: datetime, load_number: int) -> None:
    """Read one file into what will be loaded."""
    delivery_count, errors = 0, []
    for number, found in enumerate(read_file(landing, file, now=now)):
        if isinstance(found, LandedDelivery):
            delivery_count += 1
            _gather_delivery(gathered, found, load_number)
        elif isinstance(found, LandedRefusal):
            gathered.refusals.append(_refusal_row(found, load_number))
        else:
            errors.append(found.reason)
            gathered.rejects.append(_unreadable_row(file, found, number, now, load_number))
    gathered.byte_count += file.byte_count
    gathered.files.append(
        {
            "file_id": file.file_id,
            "file": file.file,
            "kind": file.kind,
            "byte_count": file.byte_count,
            "modified_ns": file.modified_ns,
            "delivery_count": delivery_count,
            "error": "; ".join(errors[:3]) or None,
            "loaded_at": naive(now),
            "load_number": load_number,
        }
    )


def _gather_delivery(gathered: _Gathered, delivery: LandedDelivery, load_number: int) -> None:
    """Judge one delivery: its updates, what in it is no record, or why it cannot be read at all."""
    received_at = naive(delivery.received_at)
    error: str | None = None
    rejects: tuple[Reject, ...] = ()
    counts = {"started": 0, "progressed": 0, "completion": 0}
    try:
        bundle = read_bundle(delivery.body)
    except UnreadableAnswerError as unreadable:
        error = str(unreadable)
        rejects = (Reject(None, error, delivery.body.decode("utf-8", "backslashreplace")),)
    else:
        rejects = bundle.rejects
        for pair in bundle.updates.column("kind").value_counts().to_pylist():
            counts[pair["values"]] = pair["counts"]
        if bundle.updates.num_rows:
            gathered.updates.append(_updates(bundle.updates, delivery.delivery_id, received_at, load_number))
    gathered.rejects.extend(_reject_row(delivery, each, received_at, load_number) for each in rejects)
    gathered.deliveries.append(
        {
            "delivery_id": delivery.delivery_id,
            "received_at": received_at,
            "file": delivery.file,
            "line": delivery.line,
            "content_type": delivery.content_type,
            "byte_count": delivery.byte_count,
            "sha256": delivery.sha256,
            "started_count": counts["started"],
            "progressed_count": counts["progressed"],
            "completion_count": counts["completion"],
            "reject_count": len(rejects),
            "error": error,
            "load_number": load_number,
        }
    )


def _updates(updates: pa.Table, delivery_id: str, received_at: datetime, load_number: int) -> pa.Table:
    """Add to a bundle's updates where they came from."""
    count = updates.num_rows
    columns = {name: updates.column(name) for name in updates.column_names}
    columns["delivery_id"] = pa.array([delivery_id] * count, pa.string())
    columns["received_at"] = pa.array([received_at] * count, pa.timestamp("us"))
    columns["load_number"] = pa.array([load_number] * count, pa.int64())
    return pa.table({name: columns[name] for name in WEBHOOK_UPDATES.schema.names}, schema=WEBHOOK_UPDATES.schema)


def _refusal_row(refusal: LandedRefusal, load_number: int) -> dict[str, object]:
    return {
        "refusal_id": refusal.refusal_id,
        "refused_at": naive(refusal.refused_at),
        "client": refusal.client,
        "http_status": refusal.http_status,
        "reason": refusal.reason,
        "until_at": naive(refusal.until_at) if refusal.until_at else None,
        "refusal_count": refusal.refusal_count,
        "load_number": load_number,
    }


def _reject_row(delivery: LandedDelivery, reject: Reject, received_at: datetime, load_number: int) -> dict[str, object]:
    return {
        "reject_id": _name(delivery.delivery_id, str(reject.position), reject.reason),
        "source": "webhook",
        "call_id": None,
        "delivery_id": delivery.delivery_id,
        "file": delivery.file,
        "position": reject.position,
        "reason": reject.reason,
        "raw_text": reject.raw_text,
        "observed_at": received_at,
        "load_number": load_number,
    }


def _unreadable_row(
    file: LandedFile, found: Unreadable, number: int, now: datetime, load_number: int
) -> dict[str, object]:
    return {
        "reject_id": _name(file.file_id, str(number)),
        "source": "webhook",
        "call_id": None,
        "delivery_id": None,
        "file": file.file if found.line is None else f"{file.file}:{found.line}",
        "position": None,
        "reason": found.reason,
        "raw_text": found.raw_text,
        "observed_at": naive(now),
        "load_number": load_number,
    }


def _name(*parts: str) -> str:
    """Make a name that is the same for the same thing."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
