"""The published file can be asked in SQL by whoever has only the command line."""

import io
import json
from pathlib import Path

import duckdb
import pytest

from tests.cli.conftest import Call


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small published file, and no shell of DuckDB's on the path."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    path = tmp_path / "data" / "published" / "progress.duckdb"
    path.parent.mkdir(parents=True)
    connection = duckdb.connect(str(path))
    connection.execute("create schema marts")
    connection.execute("create table marts.dim_activities as select 'a-' || n as activity_id from range(3) as r(n)")
    connection.close()
    return path


@pytest.mark.usefixtures("published")
def test_one_query_is_answered_as_a_table(call: Call) -> None:
    """With the column's name above."""
    done = call("sql", "-c", "select activity_id from marts.dim_activities order by 1")
    assert (done.exit_code, done.out.split()) == (0, ["activity_id", "a-0", "a-1", "a-2"])


@pytest.mark.usefixtures("published")
def test_a_program_gets_json(call: Call) -> None:
    """Every row, by column name."""
    done = call("sql", "--json", "-c", "select count(*) as n from marts.dim_activities")
    assert json.loads(done.out) == [{"n": 3}]


@pytest.mark.usefixtures("published")
def test_nothing_can_be_changed(call: Call) -> None:
    """The file is what was published; DuckDB says why not, and the command was used wrongly."""
    done = call("sql", "-c", "delete from marts.dim_activities")
    assert done.exit_code == 2
    assert "read-only" in done.err


@pytest.mark.usefixtures("published")
def test_the_prompt_goes_on_after_a_mistake(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """A query may take several lines; a wrong one is told and the next is answered."""
    monkeypatch.setattr(
        "sys.stdin", io.StringIO("select nonsense;\nselect count(*) as n\nfrom marts.dim_activities;\n")
    )
    done = call("sql")
    assert done.exit_code == 0
    assert "nonsense" in done.err
    assert "3" in done.out.split()


def test_without_a_published_file_it_says_what_makes_one(call: Call) -> None:
    """And ends as wrong use does."""
    done = call("sql", "-c", "select 1")
    assert done.exit_code == 2
    assert "progress-pipeline run" in done.err
