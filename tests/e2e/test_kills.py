"""A run killed anywhere, and run again, ends in the same tables as one that was not killed."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.comparing import Held, covered, held, unlike
from tests.e2e.forking import Kill, run, step
from tests.e2e.plain_vendor import Switches, Vendor
from tests.e2e.playing import differences, environment

APPEND = "dlt.destinations.impl.duckdb.duck:DuckDbCopyJob.run"
"""What dlt does for each table of a load: the rows of one table reach `raw` when it returns."""

WHILE_ASKING = (
    Kill("progress_pipeline.vendor.ledger:CallLedger.reserve", "return"),
    Kill("progress_pipeline.vendor.ledger:CallLedger.finish", "call"),
    Kill("progress_pipeline.vendor.ledger:CallLedger.finish", "return"),
    Kill("progress_pipeline.ingest.loading:Loader.load", "call"),
)
ALONE = {
    "three tables of a load are there": Kill(APPEND, "return", 3),
    "all tables of a load are there": Kill("dlt.load.load:Load.complete_package", "call"),
    "a load is done": Kill("progress_pipeline.ingest.loading:Loader.load", "return"),
    "some models are built": Kill("progress_pipeline.warehouse.refreshing:refresh", "return", 4),
    "all models are built": Kill("progress_pipeline.warehouse.building:build", "return"),
}
KILLS = {"around each step of a call": WHILE_ASKING, **{name: (kill,) for name, kill in ALONE.items()}}
PUBLISHED = Kill("progress_pipeline.warehouse.publishing:publish", "return")
WAREHOUSE = Path("data", "warehouse", "progress.duckdb")


@dataclass(frozen=True)
class Story:
    """Two days of a vendor, and a pipeline that ran on both without being killed.

    Attributes:
        vendor: The vendor, on the second day.
        after: The instant of the second run.
        before: The pipeline's folder between its two runs.
        whole: What its warehouse held in the end.
        spans: What it had covered by then.
    """

    vendor: Vendor
    after: datetime
    before: Path
    whole: Held
    spans: list[tuple[object, ...]]

    def environment(self, folder: Path) -> dict[str, str]:
        """Give the settings of a pipeline in this folder."""
        return environment(folder / "data", self.vendor.url, landing_dir=str(self.vendor.switches.landing))

    def copy(self, folder: Path) -> dict[str, str]:
        """Put a copy of the pipeline between its two runs into a folder, and give its settings."""
        shutil.copytree(self.before, folder, symlinks=True)
        return self.environment(folder)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Play it; each copy of the pipeline reads the same landed files."""
    folder = tmp_path_factory.mktemp("story")
    switches = Switches(registrations=60, days=4, landing=folder / "landing", page_cap=40, odd=True)
    with Vendor(switches) as vendor:
        before = switches.start + timedelta(days=2, hours=5)
        told = Story(vendor, before + timedelta(days=2), folder / "before", {}, [])
        env = told.environment(folder / "whole")
        vendor.move_to(before)
        assert run("run", "--as-of", before.isoformat(), env=env).exit_code == 0
        shutil.copytree(folder / "whole", told.before, symlinks=True)
        vendor.move_to(told.after)
        assert step(told.after, env=env).exit_code == 0
        told.whole.update(held(folder / "whole" / WAREHOUSE))
        told.spans.extend(covered(folder / "whole" / WAREHOUSE))
        yield told


def assert_equal(story: Story, warehouse: Path) -> None:
    """Hold a pipeline that was killed against the one that was not."""
    assert unlike(story.whole, held(warehouse)) == []
    assert covered(warehouse) == story.spans
    assert list(warehouse.parent.glob("*.loading-*")) == []


@pytest.mark.parametrize("kills", KILLS.values(), ids=KILLS)
def test_a_run_killed_and_run_again_ends_as_one_that_was_not(
    story: Story, tmp_path: Path, kills: tuple[Kill, ...]
) -> None:
    """Killed once on a fresh copy; around a call again and again, each time a step further on."""
    folder = tmp_path / "killed"
    env = story.copy(folder)
    assert [step(story.after, env=env, kill=kill).exit_code for kill in kills] == [-9] * len(kills)
    again = step(story.after, env=env)
    assert again.exit_code == 0, again
    assert_equal(story, folder / WAREHOUSE)


def test_a_run_killed_when_it_has_published_publishes_the_truth_when_it_is_run_again(
    story: Story, tmp_path: Path
) -> None:
    """The whole command; a kill while it publishes is for tests/warehouse."""
    folder = tmp_path / "killed"
    env = story.copy(folder)
    words = "run", "--as-of", story.after.isoformat()
    assert run(*words, env=env, kill=PUBLISHED).exit_code == -9
    ended = run(*words, env=env)
    assert ended.exit_code == 0, ended
    assert_equal(story, folder / WAREHOUSE)
    assert differences(folder / "data" / "published" / "progress.duckdb", story.vendor) == []
