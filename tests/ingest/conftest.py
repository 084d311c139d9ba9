"""What the tests of loading share: a run, a warehouse's path, and a way to look into it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import pytest

from progress_pipeline.ingest.rows import RunFacts

NOW = datetime(2026, 2, 1, 5, tzinfo=UTC)

Look: TypeAlias = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def run() -> RunFacts:
    """A daily run at a fixed instant."""
    return RunFacts("run-1", NOW, "daily", datetime(2026, 1, 1, tzinfo=UTC), 120, 2, 500)


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    """Where the warehouse will be."""
    return tmp_path / "warehouse" / "progress.duckdb"


@pytest.fixture
def look(warehouse: Path) -> Look:
    """Ask the warehouse something."""

    def ask(sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        connection = duckdb.connect(str(warehouse))
        try:
            return connection.execute(sql, list(parameters)).fetchall()
        finally:
            connection.close()

    return ask
