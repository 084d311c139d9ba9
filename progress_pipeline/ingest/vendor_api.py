"""The dlt source of what the vendor's API was asked.

    carry_out(asks) ──batches──> one load: api_progress (versions that are new), api_windows, api_calls, rejects, runs

A batch's records, the windows that they prove and dlt's cursor are committed by one load. A record is new when it
differs from the newest version of its transaction, so a record that goes back to an earlier state is seen again, and one
that is asked again unchanged adds nothing. What to ask is decided elsewhere; this module loads what comes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import dlt
import pyarrow as pa

from progress_pipeline.ingest.loading import SCHEMA, Loader, arrow, item, naive
from progress_pipeline.ingest.raw_tables import API_CALLS, API_PROGRESS, API_WINDOWS, REJECTS
from progress_pipeline.vendor.windows import Window, join

if TYPE_CHECKING:
    from dlt.extract import DltResource

    from progress_pipeline.vendor.asking import Batch
    from progress_pipeline.vendor.ledger import Call, CallLedger
