"""The history of runs belongs to the data folder, wherever that stands."""

import resource
import shutil
from pathlib import Path

import dagster as dg
import pytest

from progress_pipeline.errors import StateError
from progress_pipeline.orchestration.history import open_history, prepare_home
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


def test_a_configuration_that_could_not_be_written_whole_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From one that was cut off Dagster would take its own ways, telemetry among them."""
    monkeypatch.setenv("DAGSTER_HOME", "")  # preparing sets it; this puts it back afterwards
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    settings = load_settings(data_dir=tmp_path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50, before[1]))
    try:
        with pytest.raises(OSError, match="large"):
            prepare_home(settings)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not (settings.history_path / "dagster.yaml").exists()


@pytest.mark.parametrize("text", ["a: [", "- no mapping", "shoe_size: 41", "telemetry: 5", "\0"])
def test_a_configuration_that_dagster_cannot_read_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
) -> None:
    """With what to do about it."""
    monkeypatch.setenv("PROGRESS_DATA_DIR", str(tmp_path))
    config = tmp_path / "dagster" / "dagster.yaml"
    config.parent.mkdir()
    config.write_text(text, encoding="utf-8")
    with pytest.raises(StateError, match=r"dagster\.yaml cannot be used: .* remove it"):
        open_history(load_settings())
