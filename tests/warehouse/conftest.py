"""What the warehouse's tests share: a project of models, and a warehouse to build it in."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from progress_pipeline.warehouse.connection import connect
from tests.warehouse.projects import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project without models."""
    return Project(tmp_path / "sql")


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    """The path of a warehouse that is not there yet."""
    return tmp_path / "warehouse" / "progress.duckdb"


@pytest.fixture
def connection(warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to it, for writing."""
    with connect(warehouse) as opened:
        yield opened
