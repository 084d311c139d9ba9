"""A load that runs while the next one is gathered is a load like any other."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from progress_pipeline.errors import TokenRefusedError
from progress_pipeline.ingest.loading import Loader
from progress_pipeline.ingest.rows import RunFacts
from progress_pipeline.ingest.vendor_api import load_batches
from progress_pipeline.vendor.asking import Batch
from progress_pipeline.vendor.windows import Window
from progress_pipeline.warehouse.connection import connect
from tests.ingest.conftest import Look
from tests.ingest.test_vendor_api import DAY, START, batch, record


def _answers(*, ends_well: bool) -> Iterator[Batch]:
    """Three days, each changing the first record; then the end, or an error."""
    for day in range(3):
        window = Window(START + DAY * day, START + DAY * (day + 1))
        yield batch(day + 1, record(1, 10 * day), record(day + 2, 50), window=window)
    if not ends_well:
        raise TokenRefusedError("no longer accepted")


def test_loads_that_overlap_keep_their_order_and_their_cursor(warehouse: Path, run: RunFacts, look: Look) -> None:
    """A version is told from that of the load before, and the windows of all loads are covered."""
    with Loader(warehouse, run) as loader:
        report = load_batches(loader, _answers(ends_well=True), calls_since=lambda _: [], start_at=START, rows_a_load=1)
    assert (report.records, report.new_versions, report.loads) == (6, 6, 4)
    assert report.covered_until == START + DAY * 3
    assert look("select load_number, progress from raw.api_progress where transaction_id = '1' order by call_id") == [
        (1, "0"),
        (2, "10"),
        (3, "20"),
    ]
    assert look("select load_number from raw.runs order by all") == [(1,), (2,), (3,), (4,)]


def test_what_came_before_an_error_is_loaded_though_loads_overlap(warehouse: Path, run: RunFacts, look: Look) -> None:
    """The error is raised once all that came is committed."""
    with Loader(warehouse, run) as loader, pytest.raises(TokenRefusedError):
        load_batches(loader, _answers(ends_well=False), calls_since=lambda _: [], start_at=START, rows_a_load=1)
    assert look("select count(*) from raw.api_progress") == [(6,)]
    assert look("select max(covered_until) from raw.api_windows") == [((START + DAY * 3).replace(tzinfo=None),)]


def test_a_load_leaves_no_setting_of_the_process_behind(warehouse: Path, run: RunFacts) -> None:
    """DuckDB's threads and memory, Python's turns: a run that holds the file open builds models after it loads."""
    asked = "select current_setting('threads'), current_setting('memory_limit')"
    with connect(warehouse) as held:
        before = held.execute(asked).fetchall(), sys.getswitchinterval()
        with Loader(warehouse, run) as loader:
            load_batches(loader, _answers(ends_well=True), calls_since=lambda _: [], start_at=START)
        assert (held.execute(asked).fetchall(), sys.getswitchinterval()) == before
