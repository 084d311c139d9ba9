"""The history of runs belongs to the data folder, wherever that stands."""

import shutil
from pathlib import Path

import dagster as dg
import pytest

from progress_pipeline.orchestration.history import open_history
from progress_pipeline.settings import load_settings


@dg.op
def tell() -> None:
    """Succeed."""


@dg.job
def telling() -> None:
    """Tell something into the history."""
    tell()


def test_a_data_folder_that_was_moved_goes_on_with_its_own_history(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What was told before is there, what is told now stands beside it, and nothing comes to the old place."""

    def told(folder: str) -> list[int]:
        monkeypatch.setenv("PROGRESS_DATA_DIR", str(tmp_path / folder))
        with open_history(load_settings()) as history:
            telling.execute_in_process(instance=history)
            return [len(history.all_logs(run.run_id)) for run in history.get_runs()]

    (once,) = told("first")
    shutil.move(tmp_path / "first", tmp_path / "moved")
    assert once > 0
    assert told("moved") == [once, once]
    assert not (tmp_path / "first").exists()
