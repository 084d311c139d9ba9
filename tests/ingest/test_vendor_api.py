"""What the API returned is loaded once per version, and covered only together with its rows."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from progress_pipeline.errors import TokenRefusedError
from progress_pipeline.ingest.loading import Loader
from progress_pipeline.ingest.new_versions import MOST_SLICES
from progress_pipeline.ingest.rows import RunFacts
from progress_pipeline.ingest.vendor_api import ApiReport, load_batches
from progress_pipeline.vendor.asking import Batch
from progress_pipeline.vendor.attempts import WindowAttempt
from progress_pipeline.vendor.ledger import Purpose
from progress_pipeline.vendor.records import Reject, read_page
from progress_pipeline.vendor.windows import Window
from tests.ingest.conftest import NOW, Look

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def batch(call_id: int, *records: str, window: Window | None = None, rejects: tuple[Reject, ...] = ()) -> Batch:
    """One call's records, as the vendor wrote them, and the window that they prove."""
    page = read_page(f"[{','.join(records)}]".encode())
    count = page.records.num_rows
    table = page.records.append_column("call_id", pa.array([call_id] * count, pa.int64())).append_column(
        "observed_at", pa.array([NOW.replace(tzinfo=None)] * count, pa.timestamp("us"))
    )
    windows: tuple[WindowAttempt, ...] = ()
    if window is not None:
        proven = WindowAttempt.of(
            Purpose.DAILY, window, attempted_at=NOW, call_ids=[call_id], distinct_rows=count, proof="made up"
        )
        windows = (proven,)
    return Batch(table, tuple((call_id, reject) for reject in rejects), windows)


def record(transaction: int, progress: int) -> str:
    """One record as the vendor writes it."""
    return f'{{"transactionId": {transaction}, "registration": "r-{transaction}", "progress": {progress}}}'


def load(warehouse: Path, run: RunFacts, batches: Iterable[Batch]) -> ApiReport:
    """Load batches in a run of their own."""
    with Loader(warehouse, run) as loader:
        return load_batches(loader, batches, calls_since=lambda _: [], start_at=START)


def test_a_version_is_loaded_once_and_a_return_to_an_earlier_one_is_seen(
    warehouse: Path, run: RunFacts, look: Look
) -> None:
    """40, 40, 60, 40: three versions."""
    for call_id, progress in enumerate((40, 40, 60, 40), start=1):
        load(warehouse, run, [batch(call_id, record(1, progress), record(2, 10))])
    assert look("select progress, call_id from raw.api_progress where transaction_id = '1' order by call_id") == [
        ("40", 1),
        ("60", 3),
        ("40", 4),
    ]
    assert look("select count(*) from raw.api_progress where transaction_id = '2'") == [(1,)]


def test_versions_within_one_load_are_told_apart_as_well(warehouse: Path, run: RunFacts, look: Look) -> None:
    """A record that changes between two calls of a load is two versions; one that does not is one."""
    report = load(warehouse, run, [batch(1, record(1, 40)), batch(2, record(1, 60)), batch(3, record(1, 60))])
    assert (report.records, report.new_versions) == (3, 2)
    assert look("select progress from raw.api_progress order by call_id") == [("40",), ("60",)]


@pytest.mark.parametrize("every", [2, 1000])
def test_what_is_new_among_many_that_are_not_is_loaded(warehouse: Path, run: RunFacts, look: Look, every: int) -> None:
    """Whether it stands scattered among them or in long runs."""
    count = 2 * MOST_SLICES + 10
    load(warehouse, run, [batch(1, *(record(number, 10) for number in range(1, count + 1)))])
    again = [record(number, 20 if number % every == 0 else 10) for number in range(1, count + 1)]
    report = load(warehouse, run, [batch(2, *again)])
    assert report.new_versions == count // every
    assert look(
        "select count(*), min(transaction_id::bigint), count(distinct position) from raw.api_progress "
        "where call_id = 2 and progress = '20' and transaction_id::bigint = position + 1"
    ) == [(count // every, every, count // every)]


@pytest.mark.parametrize(("count", "length"), [(50_000, 1024), (2_000, 100_000)])
def test_long_texts_are_loaded_though_memory_is_bounded(
    warehouse: Path, run: RunFacts, look: Look, count: int, length: int
) -> None:
    """As unknown keys may be, and titles."""
    records = pa.concat_tables([batch(1, record(1, 40)).records] * count).combine_chunks()
    for name, wide in (("transaction_id", 8), ("activity_title", 1024), ("extra", length)):
        texts = pa.array([f"{number:0{wide}}" for number in range(count)])
        records = records.set_column(records.schema.get_field_index(name), name, texts)
    records = records.set_column(records.schema.get_field_index("position"), "position", pa.array(range(count)))
    load(warehouse, run, [Batch(records, (), ())])
    assert look("select count(*), min(length(extra)) from raw.api_progress") == [(count, length)]


def test_long_rejects_are_loaded_though_memory_is_bounded(warehouse: Path, run: RunFacts, look: Look) -> None:
    """An answer of which nothing can be read stands there whole, excerpt by excerpt."""
    rejects = tuple((1, Reject(place, "no record", f"{place:0100000}")) for place in range(1_500))
    load(warehouse, run, [Batch(batch(1, record(1, 40)).records, rejects, ())])
    assert look("select count(*), min(length(raw_text)) from raw.rejects") == [(1_500, 100_000)]


def test_the_cursor_moves_by_what_is_proven_without_a_break(warehouse: Path, run: RunFacts, look: Look) -> None:
    """A window after a hole moves nothing; the one that fills the hole moves it past both."""
    first, second, third = (Window(START + DAY * n, START + DAY * (n + 1)) for n in range(3))
    assert load(warehouse, run, [batch(1, window=first)]).covered_until == first.end
    assert load(warehouse, run, [batch(2, window=third)]).covered_until == first.end
    assert load(warehouse, run, [batch(3, window=second)]).covered_until == third.end
    assert [row[0] for row in look("select covered_until from raw.api_windows order by first_call_id")] == [
        first.end.replace(tzinfo=None),
        first.end.replace(tzinfo=None),
        third.end.replace(tzinfo=None),
    ]


def test_what_came_before_a_failure_is_loaded(warehouse: Path, run: RunFacts, look: Look) -> None:
    """The error goes on after that."""

    def failing() -> Iterator[Batch]:
        yield batch(1, record(1, 40), window=Window(START, START + DAY))
        raise TokenRefusedError("no longer")

    with pytest.raises(TokenRefusedError):
        load(warehouse, run, failing())
    assert look("select count(*) from raw.api_progress") == [(1,)]
    assert look("select is_complete from raw.api_windows") == [(True,)]


def test_a_thing_that_is_no_record_is_kept_with_its_reason(warehouse: Path, run: RunFacts, look: Look) -> None:
    """With the call that brought it."""
    load(warehouse, run, [batch(7, record(1, 1), rejects=(Reject(1, "is a number", "42"),))])
    assert look("select source, call_id, position, reason, raw_text from raw.rejects") == [
        ("api", 7, 1, "is a number", "42")
    ]


def test_rows_of_a_load_that_did_not_finish_are_removed(warehouse: Path, run: RunFacts, look: Look) -> None:
    """As a kill between two tables leaves them: rows of a load that dlt does not call finished."""
    load(warehouse, run, [batch(1, record(1, 40), window=Window(START, START + DAY))])
    connection = duckdb.connect(str(warehouse))
    for table, name in (("api_progress", "transaction_id"), ("api_windows", "window_id")):
        torn = f"select * replace ('x' as {name}, 2 as load_number) from raw.{table}"  # noqa: S608 - names of our own
        connection.execute(f"insert into raw.{table} {torn}")
    connection.close()
    with Loader(warehouse, run) as loader:
        assert loader.load_number == 2
    assert look("select count(*) from raw.api_progress") == [(1,)]
    assert look("select count(*) from raw.api_windows") == [(1,)]
