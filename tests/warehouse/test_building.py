"""What a build does and does not do, model by model, and what it leaves behind."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from progress_pipeline.errors import ModelError
from progress_pipeline.warehouse.building import build
from progress_pipeline.warehouse.connection import connect
from tests.warehouse.projects import BY_K, BY_LOAD, Project, how, rows, say


def test_a_build_with_nothing_new_changes_nothing(raw: duckdb.DuckDBPyConnection, staged: Project) -> None:
    """No row, no view and no byte of the file is touched."""
    staged.write("marts.fct_v", "select k, max(v) as v from staging.stg_said group by k", **BY_K)
    staged.write("marts.big", "select k from marts.fct_v where v > 10")
    build(raw, staged.models())
    raw.execute("checkpoint")
    before = raw.execute("from pragma_database_size()").fetchall()
    assert {one.how for one in build(raw, staged.models())} == {"unchanged"}
    assert raw.execute("from pragma_database_size()").fetchall() == before


def test_changed_sql_builds_the_model_and_what_reads_it_whole(raw: duckdb.DuckDBPyConnection, staged: Project) -> None:
    """Also where the changed model is a view, which has no rows of its own."""
    staged.write("intermediate.int_v", "select k, v from staging.stg_said")
    staged.write("marts.fct_v", "select k, max(v) as v from intermediate.int_v group by k", **BY_K)
    build(raw, staged.models())
    staged.write("intermediate.int_v", "select k, v * 2 as v from staging.stg_said")
    done = how(build(raw, staged.models()))
    assert done == {"staging.stg_said": (True, 0), "intermediate.int_v": (False, 0), "marts.fct_v": (False, 3)}
    assert rows(raw, "marts.fct_v") == [(1, 20), (2, 40), (3, 60)]


def test_a_view_whose_new_text_was_left_out_is_not_used_to_find_keys(
    raw: duckdb.DuckDBPyConnection, staged: Project
) -> None:
    """What stands is the old view; the rows that the new text would name are not those that it shows."""
    staged.write("intermediate.int_v", "select k, v from staging.stg_said")
    staged.write("marts.fct_v", "select k, max(v) as v from intermediate.int_v group by k", **BY_K)
    build(raw, staged.models())
    staged.write("intermediate.int_v", "select k + 100 as k, v from staging.stg_said")
    say(raw, 2, (1, "a", 99))
    build(raw, staged.models(), only=frozenset({"staging.stg_said", "marts.fct_v"}))
    assert rows(raw, "marts.fct_v") == [(1, 99), (2, 20), (3, 30)]


def test_a_comment_in_the_sql_builds_nothing_anew(raw: duckdb.DuckDBPyConnection, staged: Project) -> None:
    """A history of ten million rows is not made anew for a comma in a comment."""
    build(raw, staged.models())
    staged.write(
        "staging.stg_said", "-- One row per said thing.\nselect k, g,\n v, load_number from raw.said", **BY_LOAD
    )
    assert {one.how for one in build(raw, staged.models())} == {"unchanged"}


def test_a_model_that_missed_a_build_of_its_upstream_is_built_whole(
    raw: duckdb.DuckDBPyConnection, staged: Project
) -> None:
    """What changed upstream in a build that left the model out is not known any more."""
    staged.write("marts.fct_v", "select k, max(v) as v from staging.stg_said group by k", **BY_K)
    build(raw, staged.models())
    say(raw, 2, (1, "a", 77))
    build(raw, staged.models(), only=frozenset({"staging.stg_said"}))
    say(raw, 3, (2, "a", 88))
    assert not how(build(raw, staged.models()))["marts.fct_v"][0]
    assert rows(raw, "marts.fct_v") == [(1, 77), (2, 88), (3, 30)]


@pytest.mark.parametrize(
    "deed",
    ["delete from raw.said where k = 1", "insert into raw.said values (1, 'a', 500, 1)"],
    ids=["a row vanished", "a row came late"],
)
def test_rows_of_old_loads_that_came_or_went_build_whole(
    raw: duckdb.DuckDBPyConnection, staged: Project, deed: str
) -> None:
    """Raw only grows; where it did not, the tables are made anew."""
    build(raw, staged.models())
    raw.execute(deed)
    say(raw, 2, (9, "z", 1))
    assert not how(build(raw, staged.models()))["staging.stg_said"][0]
    assert rows(raw, "staging.stg_said") == rows(raw, "raw.said")


def test_rows_changed_by_another_hand_are_made_anew(raw: duckdb.DuckDBPyConnection, staged: Project) -> None:
    """A model's table is what its SQL makes, whoever took rows from it."""
    build(raw, staged.models())
    raw.execute("delete from staging.stg_said where k = 1")
    build(raw, staged.models())
    assert len(rows(raw, "staging.stg_said")) == 3


def test_a_model_that_turns_from_view_to_table_and_back_stands(
    raw: duckdb.DuckDBPyConnection, project: Project
) -> None:
    """The old kind makes room for the new one."""
    for kind in ("view", "table", "view"):
        project.write("marts.fct_v", "select k, v from raw.said", materialized=kind)
        build(raw, project.models())
        found = raw.execute(
            "select table_type from information_schema.tables where table_schema = 'marts' and table_name = 'fct_v'"
        ).fetchall()
        assert found == [("VIEW" if kind == "view" else "BASE TABLE",)]


def test_the_table_of_a_model_that_is_no_more_is_dropped(raw: duckdb.DuckDBPyConnection, staged: Project) -> None:
    """Nobody reads yesterday's model by mistake; a build of some models only drops none."""
    staged.write("marts.fct_v", "select k, v from staging.stg_said", **BY_K)
    staged.write("marts.fct_w", "select k, v from staging.stg_said", **BY_K)
    build(raw, staged.models())
    staged.remove("marts.fct_v")
    build(raw, staged.models(), only=frozenset({"staging.stg_said"}))
    assert len(rows(raw, "marts.fct_v")) == 3
    build(raw, staged.models())
    with pytest.raises(duckdb.CatalogException):
        rows(raw, "marts.fct_v")


def test_a_model_that_fails_leaves_all_as_it_was(raw: duckdb.DuckDBPyConnection, staged: Project) -> None:
    """The error names the file and the line; nothing of the build stands; the next one does it all."""
    build(raw, staged.models())
    say(raw, 2, (4, "x", 40))
    staged.write("marts.fails", "select\n    k,\n    cast(g as bigint) + nonsense as n\nfrom staging.stg_said")
    with pytest.raises(ModelError, match=r"marts/fails\.sql:3: marts\.fails failed") as caught:
        build(raw, staged.models())
    assert "nonsense" in str(caught.value)
    assert len(rows(raw, "staging.stg_said")) == 3
    staged.remove("marts.fails")
    assert how(build(raw, staged.models())) == {"staging.stg_said": (True, 1)}


def test_a_raw_table_that_is_not_there_is_named_with_file_and_line(
    connection: duckdb.DuckDBPyConnection, staged: Project
) -> None:
    """Building before the first load says what to do."""
    with pytest.raises(ModelError, match=r"stg_said\.sql:1: raw\.said is not there yet; load it first"):
        build(connection, staged.models())


def test_the_yaml_may_not_name_a_column_that_a_star_does_not_bring(
    raw: duckdb.DuckDBPyConnection, project: Project
) -> None:
    """What the reading of the files cannot see, the build does."""
    project.write("marts.fct_v", "select * from raw.said", columns={"k": "The key.", "w": "Nothing."})
    with pytest.raises(ModelError, match=r"the YAML names w, which marts\.fct_v does not have"):
        build(raw, project.models())


def test_a_build_leaves_nothing_behind_in_the_session(raw: duckdb.DuckDBPyConnection, staged: Project) -> None:
    """The caller's own temporary tables stay, and no other, nor the second catalog."""
    raw.execute("create temp table mine as select 1 as a")
    staged.write("marts.fct_v", "select k, max(v) as v from staging.stg_said group by k", **BY_K)
    for load in (2, 3):
        build(raw, staged.models())
        say(raw, load, (1, "a", load))
    assert raw.execute("select table_name from duckdb_tables() where temporary").fetchall() == [("mine",)]
    assert raw.execute("select view_name from duckdb_views() where temporary and not internal").fetchall() == []
    databases = raw.execute("select database_name from duckdb_databases() where not internal").fetchall()
    assert databases == raw.execute("select current_catalog()").fetchall()


def test_a_column_that_raw_gained_reaches_what_reads_it_with_a_star(
    raw: duckdb.DuckDBPyConnection, project: Project
) -> None:
    """The tables are made anew with it, views too."""
    project.write("staging.stg_said", "select * from raw.said")
    project.write("marts.fct_v", "select * from staging.stg_said", **BY_K)
    build(raw, project.models())
    raw.execute("alter table raw.said add column w bigint default 7")
    build(raw, project.models())
    assert rows(raw, "marts.fct_v")[0] == (1, "a", 10, 1, 7)


BUILD_IN_LITTLE_ROOM = """
import resource, signal, sys
from pathlib import Path
from progress_pipeline.errors import WarehouseError
from progress_pipeline.warehouse.building import build
from progress_pipeline.warehouse.connection import connect
from progress_pipeline.warehouse.connection import connect
from progress_pipeline.warehouse.models import read_models
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
warehouse, models = Path(sys.argv[1]), read_models(Path(sys.argv[2]))
room = warehouse.stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
with connect(warehouse) as connection:
    try:
        build(connection, models)
    except WarehouseError as error:
        print(error)
    print(connection.execute("select count(*) from staging.stg_said").fetchall())
"""


def test_a_full_disk_leaves_the_tables_as_they_were(staged: Project, warehouse: Path) -> None:
    """A limit on the size of files stands for the full disk; the next build, with room, does it all."""
    with connect(warehouse) as connection:
        connection.execute("create schema raw")
        connection.execute("create table raw.said as select 1 as k, 'a' as g, 1 as v, 1::bigint as load_number")
        build(connection, staged.models())
        connection.execute("insert into raw.said select range, md5(range::text), range % 9, 2 from range(1000000)")
        connection.execute("checkpoint")
    said = subprocess.run(  # noqa: S603 - the program is this test's own
        [sys.executable, "-c", BUILD_IN_LITTLE_ROOM, str(warehouse), str(staged.folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Room ran out while staging.stg_said was made" in said.stdout, said.stderr
    assert said.stdout.endswith("[(1,)]\n")
    with connect(warehouse) as connection:
        assert how(build(connection, staged.models())) == {"staging.stg_said": (True, 1000000)}


def test_a_table_that_is_made_whole_lies_sorted_where_the_yaml_says(
    raw: duckdb.DuckDBPyConnection, staged: Project
) -> None:
    """Neighbours in time are neighbours on the disk, so that later refreshes of what is recent read little."""
    staged.write("marts.fct_v", "select k, max(v) as v from staging.stg_said group by k", sorted_by=["v"], **BY_K)
    staged.write("marts.fct_w", "select k, v from staging.stg_said", sorted_by=["v"], materialized="table")
    say(raw, 1, (9, "z", 5), (8, "z", 25))
    build(raw, staged.models())
    say(raw, 2, (7, "z", 1))
    build(raw, staged.models())
    assert [v for (v,) in raw.execute("select v from marts.fct_v order by rowid").fetchall()] == [5, 10, 20, 25, 30, 1]
    assert [v for (v,) in raw.execute("select v from marts.fct_w order by rowid").fetchall()] == [1, 5, 10, 20, 25, 30]
