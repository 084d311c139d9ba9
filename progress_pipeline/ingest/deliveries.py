"""What one load of landed files will hold: deliveries are read in batches, judged, and become rows of the raw tables.

A batch is turned into Arrow at once, so memory holds the Python objects of one batch and the columns of one load.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Any

import pyarrow as pa

from progress_pipeline.ingest.raw_tables import (
    INSTANT,
    REJECTS,
    WEBHOOK_DELIVERIES,
    WEBHOOK_FILES,
    WEBHOOK_REFUSALS,
    WEBHOOK_UPDATES,
    RawTable,
)
from progress_pipeline.ingest.rows import arrow, naive
from progress_pipeline.landing.finding import LandedFile
from progress_pipeline.landing.reading import Deliveries, LandedDelivery, LandedRefusal, Unreadable, read_batches
from progress_pipeline.vendor import bundles
from progress_pipeline.vendor.quick import whole_numbers
from progress_pipeline.vendor.records import KINDS, Reject

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
        self._waiting: list[Deliveries] = []
        self._waiting_count = self._waiting_bytes = 0
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
        """Read one file.

        Raises:
            ChangedError: It is not any more what was found; nothing of it is gathered.
        """
        delivery_count, errors = 0, []
        number = 0
        for found in read_batches(landing, file, now=self._now):
            if isinstance(found, Deliveries):
                delivery_count += len(found.bodies)
                number += len(found.bodies)
                self._take(found)
                continue
            if isinstance(found, LandedRefusal):
                self._refusals.append(self._refusal_row(found))
            else:
                errors.append(found.reason)
                self._rejects.append(self._unreadable_row(file, found, number))
            number += 1
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

    def _take(self, some: Deliveries) -> None:
        self._waiting.append(some)
        self._waiting_count += len(some.bodies)
        self._waiting_bytes += sum(map(len, some.bodies))
        if self._waiting_count >= BATCH_DELIVERIES or self._waiting_bytes >= BATCH_BYTES:
            self._judge()

    def _judge(self) -> None:
        """Judge the deliveries that wait: their updates, what in them is no record, or why one cannot be read."""
        if not self._waiting:
            return
        waiting, self._waiting, self._waiting_count, self._waiting_bytes = self._waiting, [], 0, 0
        bodies = list(chain.from_iterable(some.bodies for some in waiting))
        read = bundles.read_bundles(bodies)
        if read.odd:
            deliveries = list(chain.from_iterable(some.each() for some in waiting))
            for place, judged in sorted(read.odd.items()):
                self._rejects += [self._reject_row(deliveries[place], reject) for reject in judged.rejects]
        rows = self._delivery_rows(waiting, read, list(map(len, bodies)))
        self._deliveries.append(rows)
        if read.updates.num_rows:
            self._updates.append(self._update_rows(read.updates, rows))

    def _delivery_rows(
        self, waiting: Sequence[Deliveries], read: bundles.Bundles, byte_counts: Sequence[int]
    ) -> pa.Table:
        count = len(byte_counts)
        received = pa.array(_joined(waiting, "received_at"), pa.timestamp("us", "UTC"))
        columns = {
            "delivery_id": _joined(waiting, "delivery_ids"),
            "received_at": received.cast(INSTANT),
            "file": pa.chunked_array([pa.repeat(some.file, len(some.bodies)) for some in waiting]),
            "line": _joined(waiting, "lines"),
            "content_type": _joined(waiting, "content_types"),
            "byte_count": byte_counts,
            "sha256": _joined(waiting, "sha256"),
            **{f"{kind}_count": whole_numbers(read.counts[:, place]) for place, (_, kind) in enumerate(KINDS)},
            "reject_count": _spread(count, {place: len(judged.rejects) for place, judged in read.odd.items()}, 0),
            "error": _spread(count, {place: judged.error for place, judged in read.odd.items()}, None),
            "load_number": pa.repeat(self._load_number, count),
        }
        return pa.table(columns, schema=WEBHOOK_DELIVERIES.schema)

    def _update_rows(self, updates: pa.Table, deliveries: pa.Table) -> pa.Table:
        """Add to updates where they came from."""
        came = deliveries.select(["delivery_id", "received_at"]).take(updates.column(bundles.BODY))
        columns = {name: table.column(name) for table in (updates, came) for name in table.column_names}
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


def _joined(waiting: Sequence[Deliveries], column: str) -> list[Any]:
    """Give a column of all that wait."""
    return list(chain.from_iterable(map(attrgetter(column), waiting)))


def _spread(count: int, told: Mapping[int, object], rest: object) -> list[object]:
    """Give a column in which some places have a value of their own."""
    values = [rest] * count
    for place, value in told.items():
        values[place] = value
    return values


def _name(*parts: str) -> str:
    """Make a name that is the same for the same thing."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
