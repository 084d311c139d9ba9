"""What the warehouse's tests share: a project of models, a warehouse to build it in, and where it is published."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from progress_pipeline.warehouse.building import build
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


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """Where the file is to be."""
    return tmp_path / "published" / "progress.duckdb"


@pytest.fixture
def built(project: Project, warehouse: Path) -> Project:
    """A warehouse with models of every kind."""
    project.write("staging.stg_said", "select cast(k as bigint) as k, v from raw.said")
    project.write(
        "marts.fct_v",
        "select k, v from staging.stg_said",
        description="It's what was said.",
        columns={"k": 'The key\'s "name"; | and <b>.', "v": "The value."},
        materialized="table",
        grain="One row per key",
    )
    project.write("marts.of_marts", "select k, v * 2 as v from marts.fct_v", columns={"v": "Twice the value."})
    project.write("audit.with_prelude", "select k, json_text('{\"a\": 1}', 'a') as a from marts.fct_v")
    project.write("audit.of_staging", "select k from staging.stg_said")
    with connect(warehouse) as connection:
        connection.execute("create schema raw")
        connection.execute(
            "create table raw.said as select 9 - range as k, range as v, 1::bigint as load_number from range(10)"
        )
        build(connection, project.models())
    return project
