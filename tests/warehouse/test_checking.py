"""Reading and running the checks: rows are failures, counted all and shown in part."""

import duckdb
import pytest

from progress_pipeline.errors import ModelError
from progress_pipeline.warehouse.checking import Check, read_checks, run_check
from progress_pipeline.warehouse.sql_folder import SQL_FOLDER
from tests.warehouse.projects import Project


def only(project: Project) -> Check:
    """Give the project's one check."""
    (check,) = read_checks(project.folder)
    return check


def test_the_projects_own_checks_are_read() -> None:
    """Each says what it asserts, of which table, and what to do."""
    checks = read_checks(SQL_FOLDER)
    assert checks
    assert all(check.description and check.what_to_do and "." in check.model for check in checks)


def test_failures_are_counted_all_and_shown_in_part(connection: duckdb.DuckDBPyConnection, project: Project) -> None:
    """The first twenty rows come by column name, in the check's own order."""
    project.write(
        "checks.values_small",
        "-- What is too great.\nselect range as k, 'v' as v from range(1000) where range >= 500 order by k desc;",
        model="marts.m", severity="warn", blocking=True,
    )  # fmt: skip
    check = only(project)
    assert (check.name, check.model, check.severity, check.is_blocking) == ("values_small", "marts.m", "warn", True)
    result = run_check(connection, check)
    assert (result.failing_count, result.has_passed, len(result.rows)) == (500, False, 20)
    assert result.rows[0] == {"k": 999, "v": "v"}
    assert [row["k"] for row in result.rows] == list(range(999, 979, -1))


def test_a_check_without_rows_has_passed(connection: duckdb.DuckDBPyConnection, project: Project) -> None:
    """Nothing found is what is hoped for; a check is an error that blocks nothing unless its YAML says otherwise."""
    project.write("checks.none", "select 1 as k where false", model="marts.m")
    check = only(project)
    assert (check.severity, check.is_blocking) == ("error", False)
    result = run_check(connection, check)
    assert (result.failing_count, result.has_passed, result.rows) == (0, True, ())


def test_a_check_changes_nothing_and_runs_on_a_reader(connection: duckdb.DuckDBPyConnection, project: Project) -> None:
    """It leaves no table behind, temporary ones neither."""
    project.write("checks.some", "select 1 as failing_count, 2 as failing", model="marts.m")
    assert run_check(connection, only(project)).rows == ({"failing_count": 1, "failing": 2},)
    assert connection.execute("select count(*) from duckdb_tables()").fetchall() == [(0,)]


def test_a_check_that_cannot_run_says_which(connection: duckdb.DuckDBPyConnection, project: Project) -> None:
    """A broken check is no passed check."""
    project.write("checks.broken", "select k from marts.nowhere", model="marts.m")
    with pytest.raises(ModelError, match=r"broken\.sql: the check broken failed to run: .*nowhere"):
        run_check(connection, only(project))


def test_a_check_and_its_entry_need_each_other(project: Project) -> None:
    """Neither a check without words nor words without a check."""
    project.write("checks.some", "select 1 as k", model="marts.m")
    (project.folder / "checks" / "some.sql").rename(project.folder / "checks" / "other.sql")
    with pytest.raises(ModelError, match=r"there is no checks/some\.sql for this entry"):
        read_checks(project.folder)
    (project.folder / "checks" / "_models.yml").write_text("checks:\n", encoding="utf-8")
    with pytest.raises(ModelError, match=r"other\.sql:1: the check other has no entry"):
        read_checks(project.folder)
