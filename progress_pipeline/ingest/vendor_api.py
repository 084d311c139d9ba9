"""The dlt source of what the vendor's API was asked.

    carry_out(asks) ──batches──> one load: api_progress (new versions), api_windows, api_calls, rejects, runs

While a load runs, in a thread of its own, the next one is gathered; so there are two in memory at most. A batch's
records, the windows that they prove and dlt's cursor are committed by one load. A record is new when it differs from
the newest version of its transaction: one that goes back to an earlier state is seen again, one that is asked again
unchanged adds nothing. What to ask is decided elsewhere; this module loads what comes.
"""

import hashlib
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import dlt
import pyarrow as pa
from dlt.extract import DltResource

from progress_pipeline.errors import ProgressPipelineError
from progress_pipeline.ingest.loading import Loader
from progress_pipeline.ingest.new_versions import new_versions
from progress_pipeline.ingest.raw_tables import API_CALLS, API_PROGRESS, API_WINDOWS, REJECTS
from progress_pipeline.ingest.rows import arrow, naive
from progress_pipeline.vendor.windows import Window, join

if TYPE_CHECKING:
    import duckdb

    from progress_pipeline.vendor.asking import Batch, WindowAttempt
    from progress_pipeline.vendor.ledger import Call

ROWS_A_LOAD = 200_000
"""Records gathered before they are loaded: what a kill can cost, against dlt's fixed cost of a load."""
SWITCH_SECONDS = 0.0005
"""After which asking gives way to a load, which waits for Python some hundred times (5 ms each by its own choice)."""

_CALLS_LOADED = """
    select coalesce(least(max(call_id), min(call_id) filter (where outcome = 'unfinished' and counted_at > $1) - 1), 0)
    from raw.api_calls
"""


@dataclass
class ApiReport:
    """What was asked and loaded.

    Attributes:
        records: Records that the API returned, repeats included.
        new_versions: Of those, the ones that told something new.
        rejects: Things in answers that could not be read as a record.
        windows: The attempts to cover a window, in order.
        covered_until: End of unbroken proven coverage from its start on; None before the first load.
        loads: Loads that it took.
    """

    records: int = 0
    new_versions: int = 0
    rejects: int = 0
    windows: list["WindowAttempt"] = field(default_factory=list)
    covered_until: datetime | None = None
    loads: int = 0


@dataclass
class _Gathered:
    """What one load will hold: some batches as one, and the calls that brought them."""

    records: list[pa.Table] = field(default_factory=list)
    rejects: list[dict[str, object]] = field(default_factory=list)
    windows: list["WindowAttempt"] = field(default_factory=list)
    calls: list["Call"] = field(default_factory=list)
    row_count: int = 0

    def add(self, batch: "Batch", observed_at: datetime) -> None:
        """Add a batch."""
        self.records.append(batch.records)
        self.windows.extend(batch.windows)
        self.row_count += batch.records.num_rows
        for call_id, reject in batch.rejects:
            name = hashlib.sha256(f"{call_id}\0{reject.position}\0{reject.reason}".encode()).hexdigest()[:32]
            self.rejects.append(
                {
                    "reject_id": name,
                    "source": "api",
                    "call_id": call_id,
                    "position": reject.position,
                    "reason": reject.reason,
                    "raw_text": reject.raw_text,
                    "observed_at": observed_at,
                }
            )


def load_batches(
    loader: Loader,
    batches: Iterable["Batch"],
    *,
    calls_since: Callable[[int], Iterable["Call"]],
    start_at: datetime,
    rows_a_load: int = ROWS_A_LOAD,
) -> ApiReport:
    """Load what the vendor is asked, as it comes.

    Args:
        loader: The open loader.
        batches: What `carry_out` gives; an error that it ends with is raised after what came before it is loaded.
        calls_since: Gives the ledger's calls with a number greater than a given one.
        start_at: First instant to be covered.
        rows_a_load: Records gathered before they are loaded.

    Raises:
        VendorError: As the batches ended.
        WarehouseError: A load failed.
    """
    report = ApiReport()
    with loader.query() as connection:
        ((last_call,),) = connection.execute(_CALLS_LOADED, [naive(start_at)]).fetchall()
    # By a name like this, dlt takes a thread for one of its own and gives it what it holds for the thread that began.
    name = f"dlt-pool-{threading.get_ident()}-load"
    with _giving_way(), ThreadPoolExecutor(1, thread_name_prefix=name) as aside:
        running: Future[None] | None = None
        failure: ProgressPipelineError | None = None
        gathered = _Gathered()
        stream = iter(batches)
        while True:
            try:
                batch = next(stream, None)
            except ProgressPipelineError as error:
                failure, batch = error, None
            if batch is not None:
                gathered.add(batch, naive(loader.run.as_of))
                if gathered.row_count < rows_a_load:
                    continue
            gathered.calls = list(calls_since(last_call))
            last_call = max([last_call, *(call.call_id for call in gathered.calls)])
            if running is not None:
                running.result()
            if batch is None:
                _load(loader, gathered, start_at, report)
                break
            running = aside.submit(_load, loader, gathered, start_at, report)
            gathered = _Gathered()
    if failure is not None:
        raise failure
    return report


@contextmanager
def _giving_way() -> Iterator[None]:
    """Let threads take turns at Python more often."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _load(loader: Loader, gathered: _Gathered, start_at: datetime, report: ApiReport) -> None:
    """Load what is gathered, and add to the report what it brought."""
    with loader.query() as connection:
        # The other core gathers the next load meanwhile; and two would fill more memory than there may be.
        connection.execute("set threads = 1")
        files, versions = [], 0
        if gathered.records:
            records = _records(connection, gathered, loader.load_number)
            files, versions = [loader.file(API_PROGRESS, records)], records.num_rows
            del records
        rejects = [reject | {"load_number": loader.load_number} for reject in gathered.rejects]
        loader.carry([(REJECTS, arrow(REJECTS, rejects))])
        spans: list[Window] = []
        loader.load(vendor_api(loader, files, gathered, start_at, spans))
    report.new_versions += versions
    report.records += gathered.row_count
    report.rejects += len(gathered.rejects)
    report.windows.extend(gathered.windows)
    report.covered_until = covered_until(spans, start_at)
    report.loads += 1


def _records(connection: "duckdb.DuckDBPyConnection", gathered: _Gathered, number: int) -> pa.Table:
    """Give the records of a load that told something new, and let go of all."""
    records = new_versions(connection, pa.concat_tables(gathered.records))
    gathered.records = []
    return records.append_column("load_number", pa.repeat(pa.scalar(number, pa.int64()), records.num_rows))


@dlt.source(name="raw")
def vendor_api(
    loader: Loader, files: Iterable[DltResource], gathered: _Gathered, start_at: datetime, spans: list[Window]
) -> Iterable[DltResource]:
    """Give one load's tables to dlt, and move its cursor by the windows that they prove.

    The cursor is dlt's own source state: the spans proven covered, joined. dlt writes it in the same load as the rows.

    Args:
        loader: The open loader.
        files: The records, as `Loader.file` gives them.
        gathered: What else the load holds; the rows of its windows are in `files` or in earlier loads.
        start_at: First instant to be covered.
        spans: Filled with the cursor as it is after this load.
    """

    @dlt.resource(name="vendor_api")
    def answers() -> Iterator[Any]:
        number, windows = loader.load_number, gathered.windows
        yield from loader.items(API_CALLS, arrow(API_CALLS, [_call_row(call, number) for call in gathered.calls]))
        state = dlt.current.source_state()
        spans.extend(_spans(state.get("covered", []), windows))
        state["covered"] = [[span.start.isoformat(), span.end.isoformat()] for span in spans]
        until = covered_until(spans, start_at)
        yield from loader.items(API_WINDOWS, arrow(API_WINDOWS, [_window_row(each, until, number) for each in windows]))
        yield from loader.carried()

    return [*files, answers()]


def covered_until(spans: Iterable[Window], start_at: datetime) -> datetime:
    """Give the end of the unbroken coverage that begins at an instant; the instant itself if nothing covers it."""
    return next((span.end for span in spans if span.start <= start_at < span.end), start_at)


def _spans(before: Iterable[tuple[str, str]], windows: Iterable["WindowAttempt"]) -> tuple[Window, ...]:
    """Join what was covered and what was just proven."""
    covered = [Window(datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in before]
    proven = [Window(each.window_start, each.window_end) for each in windows if each.is_complete and not each.search]
    return join([*covered, *proven])


def _call_row(call: "Call", load_number: int) -> dict[str, object]:
    return _naive_row(asdict(call)) | {"load_number": load_number}


def _window_row(window: "WindowAttempt", until: datetime, load_number: int) -> dict[str, object]:
    return _naive_row(asdict(window)) | {"covered_until": naive(until), "load_number": load_number}


def _naive_row(row: dict[str, Any]) -> dict[str, object]:
    return {name: naive(value) if isinstance(value, datetime) else value for name, value in row.items()}
