"""The dlt source of what the vendor's API was asked.

    carry_out(asks) ──batches──> one load: api_progress (new versions), api_windows, api_calls, rejects, runs

A batch's records, the windows that they prove and dlt's cursor are committed by one load. A record is new when it differs
from the newest version of its transaction: one that goes back to an earlier state is seen again, one that is asked
again unchanged adds nothing. What to ask is decided elsewhere; this module loads what comes.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import dlt
import pyarrow as pa

from progress_pipeline.errors import ProgressPipelineError
from progress_pipeline.ingest.loading import Loader, arrow, item, naive
from progress_pipeline.ingest.raw_tables import API_CALLS, API_PROGRESS, API_WINDOWS, REJECTS
from progress_pipeline.vendor.windows import Window, join

if TYPE_CHECKING:
    from dlt.extract import DltSource

    from progress_pipeline.vendor.asking import Batch, WindowAttempt
    from progress_pipeline.vendor.ledger import Call

ROWS_A_LOAD = 100_000
"""Records gathered before they are loaded: what a kill can cost, against dlt's fixed cost of a load."""

_NEW_VERSIONS = """
    with current_versions as (
        select transaction_id, max_by(record_hash, call_id * 10000000 + position) as record_hash
        from raw.api_progress
        where transaction_id in (select transaction_id from records)
        group by transaction_id
    ),

    sequenced as (
        select
            records.*,
            lag(records.record_hash, 1, current_versions.record_hash)
                over (partition by records.transaction_id order by records.call_id, records.position) as before_hash
        from records
        left join current_versions on records.transaction_id = current_versions.transaction_id
    )

    select * exclude (before_hash)
    from sequenced
    where record_hash is distinct from before_hash
    order by call_id, position
"""


@dataclass
class ApiReport:
    """What was asked and loaded.

    Attributes:
        records: Records that the API returned, repeats included.
        new_versions: Of those, the ones that told something new.
        rejects: Things in answers that could not be read as a record.
        windows: The attempts to cover a window, in order.
        covered_until: End of unbroken proven coverage; None if nothing is covered yet.
        loads: Loads that it took.
    """

    records: int = 0
    new_versions: int = 0
    rejects: int = 0
    windows: list["WindowAttempt"] = field(default_factory=list)
    covered_until: datetime | None = None
    loads: int = 0


def load_batches(
    loader: Loader, batches: Iterable["Batch"], *, calls_since: Callable[[int], Iterable["Call"]], start_at: datetime
) -> ApiReport:
    """Load what the vendor is asked, as it comes.

    Args:
        loader: The open loader.
        batches: What `carry_out` gives; an error that it ends with is raised after what came before it is loaded.
        calls_since: Gives the ledger's calls from a call's number on.
        start_at: First instant to be covered.

    Raises:
        VendorError: As the batches ended.
        WarehouseError: A load failed.
    """
    report = ApiReport()
    failure: ProgressPipelineError | None = None
    waiting: list[Batch] = []
    stream = iter(batches)
    while True:
        try:
            batch = next(stream, None)
        except ProgressPipelineError as error:
            failure, batch = error, None
        if batch is not None:
            waiting.append(batch)
        if batch is None or sum(each.records.num_rows for each in waiting) >= ROWS_A_LOAD:
            _load(loader, waiting, calls_since, start_at, report)
            waiting = []
        if batch is None:
            break
    if failure is not None:
        raise failure
    return report


def _load(
    loader: Loader,
    batches: list["Batch"],
    calls_since: Callable[[int], Iterable["Call"]],
    start_at: datetime,
    report: ApiReport,
) -> None:
    """Load some batches, and add to the report what they brought."""
    with loader.query() as connection:
        first = _first_call_to_load(connection) if loader.load_number > 1 else 0
        records = pa.concat_tables([batch.records for batch in batches]) if batches else None
        if records is not None and loader.load_number > 1:
            connection.register("records", records)
            records = connection.execute(_NEW_VERSIONS).to_arrow_table()
            connection.unregister("records")
    report.records += sum(batch.records.num_rows for batch in batches)
    rejects = [each for batch in batches for each in batch.rejects]
    windows = [each for batch in batches for each in batch.windows]
    spans: list[Window] = []
    source = vendor_api(loader, records, windows, rejects, list(calls_since(first)), start_at, spans)
    sent = loader.load(source)
    report.new_versions += sent[API_PROGRESS.name]
    report.rejects += len(rejects)
    report.windows.extend(windows)
    report.covered_until = _covered_until(spans, start_at)
    report.loads += 1


@dlt.source(name="raw", max_table_nesting=0)
def vendor_api(  # noqa: PLR0913, PLR0917 - one argument a table
    loader: Loader,
    records: pa.Table | None,
    windows: list["WindowAttempt"],
    rejects: list[tuple[int, Any]],
    calls: list["Call"],
    start_at: datetime,
    spans: list[Window],
) -> "DltSource":
    """Give one load's tables, and move dlt's cursor by the windows that it proves.

    The cursor is dlt's own source state: the spans proven covered, joined. dlt writes it in the same load as the rows.
    """
