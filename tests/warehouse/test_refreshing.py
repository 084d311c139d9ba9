"""Refreshing by key: what of a change reaches which rows. The rules of docs/models.md, one test each."""

import duckdb
import pytest

from progress_pipeline.errors import ModelError
from progress_pipeline.warehouse.building import build
from tests.warehouse.projects import BY_G, BY_K, BY_LOAD, Project, how, rows, say

NEWEST = "select k, max_by(g, load_number) as g from staging.stg_said group by k"
GROUPS = "select g, count(*) as n from intermediate.int_newest group by g"


def test_only_the_rows_of_changed_keys_are_written(raw: duckdb.DuckDBPyConnection, staged: Project) -> None:
    """The row of a key that nobody spoke of keeps its place in the table; so does one whose new row equals the old."""
    staged.write("marts.fct_v", "select k, max(v) as v from staging.stg_said group by k", **BY_K)
    build(raw, staged.models())
    places = dict(raw.execute("select k, rowid from marts.fct_v").fetchall())
    say(raw, 2, (1, "a", 11), (2, "a", 5))
    assert how(build(raw, staged.models()))["marts.fct_v"] == (True, 2)
    after = dict(raw.execute("select k, rowid from marts.fct_v").fetchall())
    assert {k for k in places if places[k] == after[k]} == {2, 3}
    assert rows(raw, "marts.fct_v") == [(1, 11), (2, 20), (3, 30)]


def test_a_downstream_by_another_key_takes_rows_away_where_they_left(
    raw: duckdb.DuckDBPyConnection, staged: Project
) -> None:
    """A thing that moves from one group to another changes both groups' sums, the one it left too."""
    staged.write(
        "intermediate.int_newest", "select k, max_by(g, load_number) as g from staging.stg_said group by k", **BY_K
    )
    staged.write("marts.groups", GROUPS, key=["g"], **BY_G)
    build(raw, staged.models())
    say(raw, 2, (1, "b", 10), (3, "c", 30))
    assert how(build(raw, staged.models()))["marts.groups"][0]
    assert rows(raw, "marts.groups") == [("a", 1), ("b", 1), ("c", 1)]


def test_a_key_that_loses_all_its_rows_leaves_the_table(raw: duckdb.DuckDBPyConnection, staged: Project) -> None:
    """A group that nothing is in any more has no row, as after a rebuild."""
    staged.write(
        "intermediate.int_newest", "select k, max_by(g, load_number) as g from staging.stg_said group by k", **BY_K
    )
    staged.write("marts.groups", GROUPS, key=["g"], **BY_G)
    build(raw, staged.models())
    say(raw, 2, (3, "a", 30))
    build(raw, staged.models())
    assert rows(raw, "marts.groups") == [("a", 3)]


def test_a_key_that_is_null_is_a_key(raw: duckdb.DuckDBPyConnection, staged: Project) -> None:
    """Rows without a key are refreshed like any others."""
    staged.write("marts.groups", "select g, count(*) as n from staging.stg_said group by g", key=["g"], **BY_G)
    say(raw, 1, (4, None, 1))
    build(raw, staged.models())
    say(raw, 2, (5, None, 1))
    assert how(build(raw, staged.models()))["marts.groups"] == (True, 2)
    assert rows(raw, "marts.groups")[-1] == (None, 2)


def test_rows_are_found_by_a_number_and_told_by_their_text(raw: duckdb.DuckDBPyConnection, staged: Project) -> None:
    """Two texts of one number, which is planted here, are two keys; a text that is null has no number and is a key."""
    number = "text_number(case when g = 'b' then 'a' else g end) as g_number"
    staged.write(
        "intermediate.int_said", f"select *, {number} from staging.stg_said",
        key=["k"], found_by={"g": "g_number"}, **BY_LOAD,
    )  # fmt: skip
    groups = "select g, max(g_number) as g_number, count(*) as n from intermediate.int_said group by g"
    staged.write("marts.groups", groups, key=["g"], found_by={"g": "g_number"}, **BY_G)
    say(raw, 1, (4, "b", 1), (5, None, 1))
    build(raw, staged.models())
    say(raw, 2, (6, "a", 1), (7, None, 1))
    assert how(build(raw, staged.models()))["marts.groups"] == (True, 4)
    counts = raw.execute("select g, n from marts.groups order by all").fetchall()
    build(raw, staged.models(), full_refresh=True)
    assert counts == raw.execute("select g, n from marts.groups order by all").fetchall()
    assert [count for count in counts if count[0] != "a"] == [("b", 2), (None, 2)]


def test_rows_are_found_through_what_stands_beside_their_key(raw: duckdb.DuckDBPyConnection, staged: Project) -> None:
    """By that model as it stood, with what bears nothing there and what just came; one left behind is not asked."""
    said = "select *, nullif(v, 30) as mark from staging.stg_said"
    staged.write("intermediate.int_said", said, found_through={"intermediate.int_marks": "mark"}, **BY_LOAD)
    marks = "select k, mark from intermediate.int_said where mark is not null group by k, mark"
    staged.write("intermediate.int_marks", marks, **BY_K)
    sums = "select k, cast(sum(v) as bigint) as v, count(*) as n from intermediate.int_said group by k"
    staged.write("marts.sums", sums, **BY_K)
    everything = {model.name for model in staged.models()}
    for load, only in ((2, everything), (3, everything - {"intermediate.int_marks"}), (4, everything)):
        build(raw, staged.models(), only=frozenset(only))
        say(raw, load, (1, "a", 20), (3, "a", load), (3, "b", 30), (4, "a", 20))
    assert how(build(raw, staged.models()))["marts.sums"][0]
    found = rows(raw, "marts.sums")
    build(raw, staged.models(), full_refresh=True)
    assert found == rows(raw, "marts.sums") == [(1, 70, 4), (2, 20, 1), (3, 129, 7), (4, 60, 3)]


def test_rows_are_found_through_what_they_were_made_of(raw: duckdb.DuckDBPyConnection, staged: Project) -> None:
    """By what it lost as well as by what it has, whether or not it was left behind in between."""
    marks = "select k, max(v) as mark, count(*) as n from staging.stg_said group by k"
    staged.write("intermediate.int_marks", marks, **BY_K)
    named = "select k, mark, n from intermediate.int_marks"
    staged.write("marts.named", named, found_through={"intermediate.int_marks": "mark"}, **BY_K)
    everything = {model.name for model in staged.models()}
    for load, only in ((2, everything), (3, everything - {"marts.named"}), (4, everything), (5, everything)):
        build(raw, staged.models(), only=frozenset(only))
        say(raw, load, (1, "a", 20 * load), (3, "a", load), (4, "a", 20))
    assert how(build(raw, staged.models()))["marts.named"][0]
    found = rows(raw, "marts.named")
    build(raw, staged.models(), full_refresh=True)
    assert found == rows(raw, "marts.named") == [(1, 100, 5), (2, 20, 1), (3, 30, 5), (4, 20, 4)]


def test_changes_flow_through_a_view_that_passes_rows_on(raw: duckdb.DuckDBPyConnection, project: Project) -> None:
    """A staging view renames and casts; what reads it is still refreshed by key."""
    project.write(
        "staging.stg_said", "with s as (select * from raw.said) select k as thing, v from s where v > 0", key=["thing"]
    )
    project.write(
        "marts.things", "select thing, max(v) as v from staging.stg_said group by thing",
        key=["thing"], materialized="incremental", incremental_by="thing",
    )  # fmt: skip
    build(raw, project.models())
    say(raw, 2, (1, "a", 99))
    assert how(build(raw, project.models()))["marts.things"] == (True, 2)
    assert rows(raw, "marts.things") == [(1, 99), (2, 20), (3, 30)]


def test_a_view_that_groups_makes_its_reader_be_built_whole(raw: duckdb.DuckDBPyConnection, project: Project) -> None:
    """Where it groups by something else than the key: which keys it lost cannot be known, so nothing is guessed."""
    project.write("staging.stg_said", "select max(k) as k, sum(v) as v from raw.said group by g, v")
    project.write("marts.things", "select k, v from staging.stg_said", **BY_K)
    build(raw, project.models())
    say(raw, 2, (1, "a", 99))
    assert not how(build(raw, project.models()))["marts.things"][0]
    assert rows(raw, "marts.things") == [(1, 10), (1, 99), (2, 20), (3, 30)]


def test_a_view_within_the_key_is_narrowed_from_beneath(raw: duckdb.DuckDBPyConnection, staged: Project) -> None:
    """A view that groups by the key, and one that joins by it, are as good as tables; a lookup beside stays whole."""
    staged.write("intermediate.int_top", "select k, max(v) as v from staging.stg_said group by k")
    staged.write(
        "intermediate.int_both",
        """
        select said.k, said.v, tops.v as top, runs.as_of
        from staging.stg_said as said inner join intermediate.int_top as tops on tops.k = said.k
        cross join raw.runs as runs
        """,
        read_whole=["raw.runs"],
    )
    staged.write("marts.fct_v", "select k, sum(top - v) as below from intermediate.int_both group by k", **BY_K)
    build(raw, staged.models())
    say(raw, 2, (1, "a", 99), (4, "c", 5))
    assert how(build(raw, staged.models()))["marts.fct_v"] == (True, 3)
    assert rows(raw, "marts.fct_v") == [(1, 89), (2, 0), (3, 0), (4, 0)]


def test_a_name_that_is_lookup_here_and_driver_there_shows_both_what_they_should(
    raw: duckdb.DuckDBPyConnection, staged: Project
) -> None:
    """A model reads all of a table as a lookup, and its keys' rows through a view: the view is filtered from above."""
    staged.write("intermediate.int_v", "select k, v from staging.stg_said")
    staged.write(
        "marts.shares",
        "select k, v, (select count(*) from staging.stg_said) >= 3 as is_much from intermediate.int_v",
        read_whole=["staging.stg_said"], **BY_K,
    )  # fmt: skip
    build(raw, staged.models())
    say(raw, 2, (1, "a", 11))
    build(raw, staged.models())
    assert rows(raw, "marts.shares") == [(1, 10, True), (1, 11, True), (2, 20, True), (3, 30, True)]


def test_a_table_passes_on_only_what_differs(raw: duckdb.DuckDBPyConnection, staged: Project) -> None:
    """A small table is made whole each time, yet what reads it is refreshed for the rows that differ."""
    staged.write(
        "intermediate.int_sums",
        "select g, sum(v)::bigint as v from staging.stg_said group by g",
        key=["g"],
        materialized="table",
    )
    staged.write("marts.groups", "select g, v + 1 as v from intermediate.int_sums", key=["g"], **BY_G)
    build(raw, staged.models())
    say(raw, 2, (9, "a", 1))
    done = how(build(raw, staged.models()))
    assert done["intermediate.int_sums"] == (False, 2)
    assert done["marts.groups"] == (True, 2)
    assert rows(raw, "marts.groups") == [("a", 32), ("b", 31)]


def test_a_lookup_that_changes_refreshes_no_key_but_the_also_keys(
    raw: duckdb.DuckDBPyConnection, staged: Project
) -> None:
    """Time passes: a verdict that time may change is looked at again, and no other."""
    staged.write(
        "audit.verdicts",
        "select k, v > (select max(as_of) from raw.runs) as is_due from staging.stg_said",
        read_whole=["raw.runs"], also_keys="select k from audit.verdicts where is_due", **BY_K,
    )  # fmt: skip
    say(raw, 1, (4, "a", 150), (5, "a", 250))
    build(raw, staged.models())
    raw.execute("insert into raw.runs values (200, 2)")
    (verdicts,) = (one for one in build(raw, staged.models()) if one.model == "audit.verdicts")
    assert (verdicts.was_incremental, verdicts.changed_rows, verdicts.how) == (True, 2, "2 keys looked at")
    assert rows(raw, "audit.verdicts") == [(1, False), (2, False), (3, False), (4, False), (5, True)]


def test_another_answer_of_rebuild_when_builds_the_model_whole(raw: duckdb.DuckDBPyConnection, staged: Project) -> None:
    """A setting that every row depends on cannot change by key."""
    staged.write(
        "audit.verdicts",
        "select k, v + (select max(as_of) from raw.runs) as v from staging.stg_said",
        read_whole=["raw.runs"], rebuild_when="select max(as_of) from raw.runs", **BY_K,
    )  # fmt: skip
    build(raw, staged.models())
    raw.execute("insert into raw.runs values (200, 2)")
    assert how(build(raw, staged.models()))["audit.verdicts"] == (False, 3)
    assert rows(raw, "audit.verdicts") == [(1, 210), (2, 220), (3, 230)]


def test_keys_from_finds_the_rows_that_a_lookup_concerns(raw: duckdb.DuckDBPyConnection, staged: Project) -> None:
    """A changed group name reaches the things of that group, and only those."""
    raw.execute("create table raw.names (g text, name text, load_number bigint)")
    raw.execute("insert into raw.names values ('a', 'Anna', 1), ('b', 'Bert', 1)")
    staged.write("staging.stg_names", "select g, name, load_number from raw.names", key=["g"], **BY_LOAD)
    staged.write(
        "marts.named",
        """
        with newest as (select g, max_by(name, load_number) as name from staging.stg_names group by g)
        select said.k, newest.name from staging.stg_said as said left join newest on said.g = newest.g
        """,
        keys_from={
            "staging.stg_names": "select k from staging.stg_said as said join staging.stg_names as n on n.g = said.g"
        },
        **BY_K,
    )
    build(raw, staged.models())
    raw.execute("insert into raw.names values ('a', 'Ada', 2)")
    (named,) = (one for one in build(raw, staged.models()) if one.model == "marts.named")
    assert (named.was_incremental, named.changed_rows, named.how) == (True, 4, "2 keys looked at")
    assert rows(raw, "marts.named") == [(1, "Ada"), (2, "Ada"), (3, "Bert")]


def test_an_upstream_without_the_key_makes_the_model_be_built_whole_when_it_changes(
    raw: duckdb.DuckDBPyConnection, staged: Project
) -> None:
    """Nobody said which keys a run concerns, so all are made anew."""
    staged.write("audit.due", "select k, (select max(as_of) from raw.runs) as as_of from staging.stg_said", **BY_K)
    build(raw, staged.models())
    say(raw, 2, (4, "a", 1))
    assert how(build(raw, staged.models()))["audit.due"] == (True, 1)
    raw.execute("insert into raw.runs values (200, 3)")
    assert how(build(raw, staged.models()))["audit.due"] == (False, 4)


def test_a_raw_row_updated_in_place_is_refreshed_by_its_key(raw: duckdb.DuckDBPyConnection, project: Project) -> None:
    """A later row that takes an earlier one's place is no loss, where the YAML says that it happens."""
    project.write("staging.stg_said", "select k, v from raw.said", updated_in_place=["raw.said"], **BY_K)
    build(raw, project.models())
    raw.execute("delete from raw.said where k = 1")
    say(raw, 2, (1, "a", 500))
    assert how(build(raw, project.models())) == {"staging.stg_said": (True, 2)}
    assert rows(raw, "staging.stg_said") == [(1, 500), (2, 20), (3, 30)]


def test_a_model_that_is_not_local_to_its_key_is_found_out(raw: duckdb.DuckDBPyConnection, staged: Project) -> None:
    """Rows of a key that was not asked for would be written twice; the build says so instead."""
    staged.write("marts.moved", "select k + 1 as k, v from staging.stg_said", **BY_K)
    build(raw, staged.models())
    say(raw, 2, (7, "a", 1))
    with pytest.raises(ModelError, match="it made a row of another"):
        build(raw, staged.models())


def test_a_key_of_two_types_is_refused(raw: duckdb.DuckDBPyConnection, project: Project) -> None:
    """Text and number compare in surprising ways, so the key has one type all the way."""
    project.write("marts.fct_v", "select cast(k as varchar) as k, v from raw.said", **BY_K)
    build(raw, project.models())
    say(raw, 2, (7, "a", 1))
    with pytest.raises(ModelError, match=r"k is VARCHAR in marts\.fct_v and BIGINT in raw\.said"):
        build(raw, project.models())
