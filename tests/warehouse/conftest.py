"""What the warehouse's tests share: a project of models, and a warehouse to build it in."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from progress_pipeline.warehouse.connection import connect
from tests.warehouse.projects import BY_LOAD, Project


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


@pytest.fixture
def raw(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """A warehouse with one load of said things and one run."""
    connection.execute("create schema raw")
    connection.execute("create table raw.said (k bigint, g text, v bigint, load_number bigint)")
    connection.execute("insert into raw.said values (1, 'a', 10, 1), (2, 'a', 20, 1), (3, 'b', 30, 1)")
    connection.execute("create table raw.runs (as_of bigint, load_number bigint)")
    connection.execute("insert into raw.runs values (100, 1)")
    return connection


@pytest.fixture
def staged(project: Project) -> Project:
    """A project with a staging model that grows by load."""
    project.write("staging.stg_said", "select k, g, v, load_number from raw.said", **BY_LOAD)
    return project
