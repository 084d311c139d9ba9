"""What one load of landed files will hold: deliveries are read in batches, judged, and become rows of the raw tables.

A batch is turned into Arrow at once, so memory holds the Python objects of one batch and the columns of one load.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from progress_pipeline.ingest.loading import arrow, naive
from progress_pipeline.ingest.raw_tables import (
    INSTANT,
    REJECTS,
    WEBHOOK_DELIVERIES,
    WEBHOOK_FILES,
    WEBHOOK_REFUSALS,
    WEBHOOK_UPDATES,
    RawTable,
)
from progress_pipeline.landing.reading import LandedDelivery, LandedFile, LandedRefusal, Unreadable, read_file
from progress_pipeline.vendor import bundles
from progress_pipeline.vendor.records import Reject

BATCH_DELIVERIES = 2_000
BATCH_BYTES = 8 * 1024 * 1024


class Gathered:
    """The rows of one load.

    Attributes:
        byte_count: Bytes of the files that were read.
    """

    def __init__(self, *, now: datetime, load_number: int) -> None:
        self._now = now
        self._load_number = load_number
        self._waiting: list[LandedDelivery] = []
        self._waiting_bytes = 0
        self._files: list[dict[str, object]] = []
        self._deliveries: list[pa.Table] = []
        self._updates: list[pa.Table] = []
        self._refusals: list[dict[str, object]] = []
        self._rejects: list[dict[str, object]] = []
        self.byte_count = 0

    @property
    def is_empty(self) -> bool:
        """Whether no file was read."""
        return not self._files

    def read(self, landing: Path, file: LandedFile) -> None:
        """Read one file."""
        delivery_count, errors = 0, []
        for number, found in enumerate(read_file(landing, file, now=self._now)):
            if isinstance(found, LandedDelivery):
                delivery_count += 1
                self._take(found)
            elif isinstance(found, LandedRefusal):
                self._refusals.append(self._refusal_row(found))
            else:
                errors.append(found.reason)
                self._rejects.append(self._unreadable_row(file, found, number))
        self.byte_count += file.byte_count
        self._files.append(
            {
                "file_id": file.file_id,
                "file": file.file,
                "kind": file.kind,
                "byte_count": file.byte_count,
                "modified_ns": file.modified_ns,
                "delivery_count": delivery_count,
                "error": "; ".join(errors[:3]) or None,
                "loaded_at": naive(self._now),
                "load_number": self._load_number,
            }
        )

    def tables(self) -> list[tuple[RawTable, pa.Table]]:
        """Give all rows, by table; the manifest last."""
        self._judge()
        return [
            (WEBHOOK_UPDATES, pa.concat_tables([WEBHOOK_UPDATES.schema.empty_table(), *self._updates])),
            (WEBHOOK_DELIVERIES, pa.concat_tables([WEBHOOK_DELIVERIES.schema.empty_table(), *self._deliveries])),
            (WEBHOOK_REFUSALS, arrow(WEBHOOK_REFUSALS, self._refusals)),
            (REJECTS, arrow(REJECTS, self._rejects)),
            (WEBHOOK_FILES, arrow(WEBHOOK_FILES, self._files)),
        ]

    def _take(self, delivery: LandedDelivery) -> None:
        self._waiting.append(delivery)
        self._waiting_bytes += delivery.byte_count
        if len(self._waiting) >= BATCH_DELIVERIES or self._waiting_bytes >= BATCH_BYTES:
            self._judge()

    def _judge(self) -> None:
        """Judge the deliveries that wait: their updates, what in them is no record, or why one cannot be read."""
        if not self._waiting:
            return
        batch, self._waiting, self._waiting_bytes = self._waiting, [], 0
        read = bundles.read_bundles([delivery.body for delivery in batch])
        for delivery, judged in zip(batch, read.judged, strict=True):
            if judged.rejects:
                self._rejects += [self._reject_row(delivery, reject) for reject in judged.rejects]
        ids = pa.array([delivery.delivery_id for delivery in batch], pa.string())
        received = pa.array([delivery.received_at for delivery in batch], pa.timestamp("us", "UTC")).cast(INSTANT)
        self._deliveries.append(self._delivery_rows(batch, read.judged, ids, received))
        if read.updates.num_rows:
            self._updates.append(self._update_rows(read.updates, ids, received))

    def _delivery_rows(
        self, batch: Sequence[LandedDelivery], judged: Sequence[bundles.Judged], ids: pa.Array, received: pa.Array
    ) -> pa.Table:
        started, progressed, completion = zip(*(each.counts for each in judged), strict=True)
        columns = {
            "delivery_id": ids,
            "received_at": received,
            "file": [delivery.file for delivery in batch],
            "line": [delivery.line for delivery in batch],
            "content_type": [delivery.content_type for delivery in batch],
            "byte_count": [delivery.byte_count for delivery in batch],
            "sha256": [delivery.sha256 for delivery in batch],
            "started_count": started,
            "progressed_count": progressed,
            "completion_count": completion,
            "reject_count": [len(each.rejects) for each in judged],
            "error": [each.error for each in judged],
            "load_number": pa.repeat(self._load_number, len(batch)),
        }
        return pa.table(columns, schema=WEBHOOK_DELIVERIES.schema)

    def _update_rows(self, updates: pa.Table, ids: pa.Array, received: pa.Array) -> pa.Table:
        """Add to updates where they came from."""
        places = updates.column(bundles.BODY)
        columns = {name: updates.column(name) for name in updates.column_names}
        columns["delivery_id"] = pa.chunked_array([ids]).take(places)
        columns["received_at"] = pa.chunked_array([received]).take(places)
        columns["load_number"] = pa.repeat(self._load_number, updates.num_rows)
        return pa.table({name: columns[name] for name in WEBHOOK_UPDATES.schema.names}, schema=WEBHOOK_UPDATES.schema)

    def _refusal_row(self, refusal: LandedRefusal) -> dict[str, object]:
        return {
            "refusal_id": refusal.refusal_id,
            "refused_at": naive(refusal.refused_at),
            "client": refusal.client,
            "http_status": refusal.http_status,
            "reason": refusal.reason,
            "until_at": naive(refusal.until_at) if refusal.until_at else None,
            "refusal_count": refusal.refusal_count,
            "load_number": self._load_number,
        }

    def _reject_row(self, delivery: LandedDelivery, reject: Reject) -> dict[str, object]:
        return {
            "reject_id": _name(delivery.delivery_id, str(reject.position), reject.reason),
            "source": "webhook",
            "call_id": None,
            "delivery_id": delivery.delivery_id,
            "file": delivery.file,
            "position": reject.position,
            "reason": reject.reason,
            "raw_text": reject.raw_text,
            "observed_at": naive(delivery.received_at),
            "load_number": self._load_number,
        }

    def _unreadable_row(self, file: LandedFile, found: Unreadable, number: int) -> dict[str, object]:
        return {
            "reject_id": _name(file.file_id, str(number)),
            "source": "webhook",
            "call_id": None,
            "delivery_id": None,
            "file": file.file if found.line is None else f"{file.file}:{found.line}",
            "position": None,
            "reason": found.reason,
            "raw_text": found.raw_text,
            "observed_at": naive(self._now),
            "load_number": self._load_number,
        }


def _name(*parts: str) -> str:
    """Make a name that is the same for the same thing."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
