"""A run killed anywhere, and run again, ends in the same tables as one that was not killed."""

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.comparing import covered, held, unlike
from tests.e2e.conftest import Serve
from tests.e2e.forking import Kill, run
from tests.e2e.plain_vendor import Switches, Vendor
from tests.e2e.playing import differences, environment

KILLS = (
    Kill("progress_pipeline.vendor.ledger:CallLedger.reserve", "return"),
    Kill("progress_pipeline.vendor.ledger:CallLedger.finish", "call"),
    Kill("progress_pipeline.vendor.ledger:CallLedger.finish", "return"),
    Kill("progress_pipeline.ingest.loading:Loader.load", "call"),
    Kill("dlt.load.load:Load.complete_package", "call"),
    Kill("progress_pipeline.ingest.loading:Loader.load", "return"),
    Kill("progress_pipeline.warehouse.building:build", "return"),
    Kill("progress_pipeline.warehouse.publishing:publish", "call"),
    Kill("progress_pipeline.warehouse.publishing:publish", "return"),
)


def _two_days(vendor: Vendor) -> tuple[datetime, datetime]:
    first = vendor.switches.start + timedelta(days=2, hours=5)
    return first, first + timedelta(days=2)


@pytest.fixture
def vendor(serve: Serve, tmp_path: Path) -> Vendor:
    """A vendor that pushes into a folder of its own, which each copy of the pipeline reads."""
    landing = tmp_path / "landing"
    return serve(Switches(registrations=60, days=4, landing=landing, lost_share=0.2, page_cap=40, odd=True))


def test_a_run_killed_at_every_boundary_and_run_again_ends_as_one_that_was_not(vendor: Vendor, tmp_path: Path) -> None:
    """One copy is killed again and again, each time a step further on; the other is left alone."""
    landing = str(vendor.switches.landing)
    whole, killed = (
        environment(tmp_path / name / "data", vendor.url, landing_dir=landing) for name in ("whole", "killed")
    )
    before, after = _two_days(vendor)
    vendor.move_to(before)
    assert run("run", "--as-of", before.isoformat(), env=whole).exit_code == 0
    shutil.copytree(tmp_path / "whole", tmp_path / "killed")
    vendor.move_to(after)
    assert run("run", "--as-of", after.isoformat(), env=whole).exit_code == 0
    codes = [run("run", "--as-of", after.isoformat(), env=killed, kill=kill).exit_code for kill in KILLS]
    assert codes == [-9] * len(KILLS)
    ended = run("run", "--as-of", after.isoformat(), env=killed)
    assert ended.exit_code == 0, ended
    one, other = (tmp_path / name / "data" for name in ("whole", "killed"))
    warehouse = Path("warehouse") / "progress.duckdb"
    assert unlike(held(one / warehouse), held(other / warehouse)) == []
    assert covered(one / warehouse) == covered(other / warehouse)
    assert differences(other / "published" / "progress.duckdb", vendor) == []
    assert list((other / "warehouse").glob("*.loading-*")) == []
