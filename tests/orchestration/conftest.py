"""What the tests of orchestration share: a vendor's double, settings that point to it, and a history of runs."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import dagster as dg
import duckdb
import pytest
import stamina

from progress_pipeline.orchestration.history import open_history
from progress_pipeline.orchestration.running import Ended, run_job
from progress_pipeline.sandbox.config import SandboxConfig
from progress_pipeline.sandbox.server import Sandbox
from progress_pipeline.settings import Settings, load_settings

BEGINS_AT = datetime(2026, 1, 1, tzinfo=UTC)

Play: TypeAlias = Callable[[int], Ended]
Look: TypeAlias = Callable[[str], list[tuple[object, ...]]]


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    """As many tries as in earnest, without the seconds between them."""
    with stamina.set_testing(True, attempts=10, cap=True):
        yield


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    """The landing folder, into which the sandbox pushes."""
    folder = tmp_path / "data" / "landing" / "webhook"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def sandbox(landing: Path) -> Iterator[Sandbox]:
    """A small double of the vendor that pushes into the landing folder."""
    config = SandboxConfig(seed=5, registrations=30, days=10, start_at=BEGINS_AT, push_folder=landing)
    with Sandbox(config) as running:
        yield running


@pytest.fixture
def settings(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings that point to the double, from the environment as in earnest."""
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "API_URL": sandbox.api_url,
        "API_TOKEN": sandbox.token,
        "DATA_DIR": str(tmp_path / "data"),
        "START_DATE": "2026-01-01",
    }.items():
        monkeypatch.setenv(f"PROGRESS_{name}", value)
    return load_settings()


@pytest.fixture
def history(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """The history of runs."""
    with open_history(settings) as opened:
        yield opened


@pytest.fixture
def play(sandbox: Sandbox, history: dg.DagsterInstance) -> Play:
    """Let so many days happen, and run at five in the morning after the last."""

    def run(day: int) -> Ended:
        now = BEGINS_AT + timedelta(days=day, hours=5)
        sandbox.clock.set(now)
        return run_job("daily", history, as_of=now.isoformat())

    return run


@pytest.fixture
def look(settings: Settings) -> Look:
    """Ask the published file something."""

    def ask(sql: str) -> list[tuple[object, ...]]:
        connection = duckdb.connect(str(settings.published_path), read_only=True)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    return ask
