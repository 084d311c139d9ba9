"""The definitions are exactly the tables that there are, and need nothing to be loaded."""

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph

from progress_pipeline.ingest.raw_tables import RAW_TABLES
from progress_pipeline.orchestration.assembling import build_definitions
from progress_pipeline.warehouse.checking import read_checks
from progress_pipeline.warehouse.models import read_models
from progress_pipeline.warehouse.sql_folder import SQL_FOLDER


@pytest.fixture(scope="module")
def graph() -> AssetGraph:
    """The asset graph, as Dagster resolves it."""
    return build_definitions().resolve_asset_graph()


def test_every_asset_is_a_table_or_the_published_file(graph: AssetGraph) -> None:
    """Nothing is invented and nothing is missing."""
    raw = {f"raw/{table.name}" for table in RAW_TABLES}
    models = {model.name.replace(".", "/") for model in read_models(SQL_FOLDER)}
    assert {key.to_user_string() for key in graph.get_all_asset_keys()} == raw | models | {"published/progress"}


def test_arrows_are_what_the_sql_reads(graph: AssetGraph) -> None:
    """A model's upstream assets are the tables in its SQL; the repair waits for the gaps besides."""
    for model in read_models(SQL_FOLDER):
        expected = {name.replace(".", "/") for name in model.depends_on}
        if model.name == "audit.repairs":
            expected |= {"audit/gaps"}
        node = graph.get(dg.AssetKey(model.name.split(".")))
        assert {key.to_user_string() for key in node.parent_keys} == expected


def test_every_asset_is_described(graph: AssetGraph) -> None:
    """Group, owner, kinds, a description, and columns with a description each."""
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description
        assert node.group_name == key.path[0]
        assert node.owners
        assert node.kinds
        if key.path[0] != "published":
            schema = node.metadata["dagster/column_schema"]
            assert schema.columns
            assert [column.name for column in schema.columns if not column.description] == []


def test_every_check_is_an_asset_check(graph: AssetGraph) -> None:
    """Each SQL file in `checks` stands at the table that it is about."""
    expected = {(check.model.replace(".", "/"), check.name) for check in read_checks(SQL_FOLDER)}
    assert {(key.asset_key.to_user_string(), key.name) for key in graph.asset_check_keys} == expected


def test_definitions_load_with_an_empty_environment_and_leave_nothing_behind(tmp_path: Path) -> None:
    """No setting is needed, no database is opened and no folder is made."""
    code = "from progress_pipeline.definitions import defs; print(len(defs().resolve_all_asset_keys()))"
    done = subprocess.run(  # noqa: S603 - this Python, with code of our own
        [sys.executable, "-c", code], cwd=tmp_path, env={}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, int(done.stdout or 0) > len(RAW_TABLES)) == (0, True), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_schedule_follows_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hour and time zone."""
    monkeypatch.setenv("PROGRESS_SCHEDULE_HOUR", "6")
    monkeypatch.setenv("PROGRESS_SCHEDULE_TIMEZONE", "Europe/Zurich")
    build_definitions.cache_clear()
    try:
        schedule = build_definitions().resolve_schedule_def("every_day")
        assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 6 * * *", "Europe/Zurich")
        assert schedule.job_name == "daily"
    finally:
        build_definitions.cache_clear()
