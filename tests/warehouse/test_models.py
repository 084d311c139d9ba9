"""Reading the folder of models: what is read out of the SQL, and what is said when files and YAML do not fit."""

from pathlib import Path

import pytest

from progress_pipeline.errors import ModelError
from progress_pipeline.warehouse.models import Model, read_models
from progress_pipeline.warehouse.row_by_row import passes_rows_on
from progress_pipeline.warehouse.sql_folder import SQL_FOLDER
from tests.warehouse.projects import BY_K, Project


def test_the_projects_own_models_are_read() -> None:
    """The folder that ships is in order: every file has its entry, every table that is named is there."""
    names = {model.name for model in read_models(SQL_FOLDER)}
    assert {"marts.fct_progress", "marts.fct_completions", "audit.gaps"} <= names


def test_each_model_comes_after_those_it_reads(project: Project) -> None:
    """The order follows from the SQL, not from the names or the folders."""
    project.write("marts.a_last", "select k from audit.m_middle as m semi join marts.z_first as z on m.k = z.k")
    project.write("audit.m_middle", "with z as (select * from marts.z_first) select k from z")
    project.write("marts.z_first", "select k from raw.said")
    assert [model.name for model in project.models()] == ["marts.z_first", "audit.m_middle", "marts.a_last"]


def test_steps_and_table_functions_are_no_upstreams(project: Project) -> None:
    """A CTE hides no table and is none; a name in a nested query counts."""
    project.write(
        "marts.m",
        """
        with said as (select * from raw.said), numbers as (select unnest([1, 2]) as n)
        select k from said cross join numbers cross join generate_series(1, 2) as g(x)
        where exists (select 1 from raw.Runs as r where r.k = said.k)
        """,
    )
    (model,) = project.models()
    assert model.depends_on == ("raw.runs", "raw.said")
    assert model.lines == {"raw.runs": 4, "raw.said": 2}


def model_error(project: Project) -> str:
    """Give the message of the error that reading raises."""
    with pytest.raises(ModelError) as caught:
        project.models()
    return str(caught.value)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select k\nfrom marts.nowhere", "m.sql:2: there is no table marts.nowhere"),
        ("select k\nfrom\n nowhere", "m.sql:3: nowhere is neither a step of this query nor schema.table"),
        ("select k from other.raw.said", "m.sql:1: other.raw.said names a database"),
        ("select k\nfrom raw.said where where", "m.sql:2: this is no SQL"),
        ("select 'k", "m.sql:1: this is no SQL"),
        ("select 1 as k; select 2 as k", "m.sql:1: one SELECT is expected here"),
        ("delete from raw.said", "m.sql:1: one SELECT is expected here"),
        ("", "m.sql:1: one SELECT is expected here"),
        ("select k from marts.m", "m.sql:1: models read each other in a circle: marts.m -> marts.m"),
    ],
)
def test_sql_that_cannot_be_a_model_is_named_with_its_line(project: Project, sql: str, said: str) -> None:
    """The message leads to the place."""
    project.write("marts.m", sql)
    assert said in model_error(project)


def test_a_circle_is_told_from_end_to_end(project: Project) -> None:
    """Each model of the circle is in the message."""
    project.write("marts.a", "select k from marts.b")
    project.write("marts.b", "select k from marts.c")
    project.write("marts.c", "select k from marts.a")
    said = model_error(project)
    assert all(name in said for name in ("marts.a", "marts.b", "marts.c", "->"))


def test_a_raw_table_that_is_not_among_the_known_ones_is_refused(project: Project) -> None:
    """Who knows the raw tables can have their names checked; who does not, believes them."""
    project.write("marts.m", "select k from raw.sayd")
    assert project.models()[0].depends_on == ("raw.sayd",)
    with pytest.raises(ModelError, match=r"m\.sql:1: there is no table raw\.sayd"):
        read_models(project.folder, raw_tables=["raw.said"])


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"columns": {"w": "What?"}}, "_models.yml:2: marts.m: the SQL makes no column w"),
        ({"key": ["w"]}, "the SQL makes no column w"),
        ({"found_by": {"k": "w"}}, "the SQL makes no column w"),
        ({"found_through": {"marts.m": "k"}}, "are for incremental models"),
        ({**BY_K, "found_through": {"marts.n": "k"}}, "marts.n, which is no incremental model that reads it"),
        ({"key": []}, "`key` names no column"),
        ({"materialised": "view"}, "_models.yml:2: m: Object contains unknown field `materialised`"),
        ({"materialized": "eagerly"}, "Invalid enum value 'eagerly'"),
        ({"grain": 1}, "Expected `str`, got `int`"),
        ({"materialized": "incremental"}, "belong together"),
        ({"incremental_by": "k"}, "belong together"),
        ({"also_keys": "select k from marts.m"}, "are for incremental models"),
        ({**BY_K, "read_whole": ["raw.runs"]}, "raw.runs is not read by the SQL"),
        ({**BY_K, "also_keys": "select k from raw.runs"}, "raw.runs is neither this model nor named in its SQL"),
        ({**BY_K, "rebuild_when": "select (1"}, "m.sql (rebuild_when):1: this is no SQL"),
    ],
)
def test_an_entry_that_does_not_fit_is_refused(project: Project, entry: dict[str, object], said: str) -> None:
    """The YAML is held against the SQL, key by key."""
    project.write("marts.m", "select k from raw.said", **entry)
    assert said in model_error(project)


def test_an_entry_without_a_file_and_a_file_without_an_entry_are_refused(project: Project) -> None:
    """Neither a forgotten description nor a forgotten file goes unnoticed."""
    project.write("marts.m", "select k from raw.said")
    (project.folder / "marts" / "m.sql").rename(project.folder / "marts" / "n.sql")
    assert "_models.yml:2: there is no marts/m.sql for this entry" in model_error(project)
    (project.folder / "marts" / "_models.yml").unlink()
    assert "n.sql:1: marts.n has no entry" in model_error(project)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("models: [", "this is no YAML"),
        ("modells: {}", "_models.yml:1: `modells` is not known"),
        ("models:\n  m: {}\n  m: {}", "_models.yml:3: m stands here twice"),
        ("models:\n  - m", "_models.yml:2: names with their entries are expected here"),
    ],
)
def test_a_file_that_is_no_description_is_refused(project: Project, text: str, said: str) -> None:
    """Also where YAML itself would let it pass, as two entries of one name."""
    project.write("marts.m", "select k from raw.said")
    (project.folder / "marts" / "_models.yml").write_text(text, encoding="utf-8")
    assert said in model_error(project)


def test_only_what_means_something_is_in_the_fingerprint(project: Project) -> None:
    """Blank space, comments and a closing semicolon change nothing; a text that looks like one does."""
    prints = []
    for sql in (
        "select k from raw.said",
        "-- One row per k.\nselect\n    k /* the key */\nfrom raw.said;\n-- the end",
        "select 'k' from raw.said",
        'select "k" from raw.said',
    ):
        project.write("marts.m", sql, key=["k"])
        prints.append(project.models()[0].text.fingerprint)
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3


def test_the_statement_is_kept_as_it_stands_less_its_semicolon(project: Project) -> None:
    """What DuckDB runs is the file's own text, so that its line numbers are the file's."""
    project.write("marts.m", "\n\n-- One row per k.\nselect k from raw.said ;\n")
    assert project.models()[0].sql == "\n\n-- One row per k.\nselect k from raw.said"


def view(project: Project, sql: str) -> Model:
    """Make a view of a SELECT, with the newest run as a lookup."""
    lookups = ["raw.runs"] if "raw.runs" in sql else []
    project.write("staging.v", sql, read_whole=lookups)
    return project.models()[-1]


@pytest.mark.parametrize(
    "sql",
    [
        "select k, v + 1 as w from raw.said where v > 0",
        "with s as (select * from raw.said), t as (select k from s) select k from t order by k",
        "select k from raw.said union all select k from raw.told",
        "select s.k, r.as_of from raw.said as s cross join raw.runs as r",
        "with newest as (select max(as_of) as as_of from raw.runs) select k, as_of from raw.said cross join newest",
        "select k, (select max(as_of) from raw.runs) as as_of from raw.said",
        "select k from raw.runs as r inner join raw.said as s on r.load_number = s.load_number",
        "select k, n from raw.said cross join unnest([1, 2]) as u(n)",
        "select k from (select * from raw.said) as s",
    ],
)
def test_a_view_of_single_rows_passes_changes_on(project: Project, sql: str) -> None:
    """Each of its rows comes from one row of one table, lookups aside."""
    assert passes_rows_on(view(project, sql))


@pytest.mark.parametrize(
    "sql",
    [
        "select k, count(*) as n from raw.said group by k",
        "select count(*) as k from raw.said",
        "select distinct k from raw.said",
        "select k from raw.said limit 3",
        "select k from raw.said qualify row_number() over (partition by k order by v) = 1",
        "select k, max(v) over (partition by k) as v from raw.said",
        "select s.k from raw.said as s inner join raw.told as t on s.k = t.k",
        "select a.k from raw.said as a left join raw.said as b on a.k = b.k",
        "select k from raw.said union select k from raw.told",
        "select k from raw.said except select k from raw.told",
        "select k from raw.said where k in (select k from raw.told)",
        "select s.k from raw.runs as r left join raw.said as s on r.load_number = s.load_number",
        "select s.k from raw.said as s full join raw.runs as r on r.load_number = s.load_number",
        "with recursive r as (select k from raw.said union all select k + 1 from r where k < 9) select k from r",
        "with s as (select k, count(*) as n from raw.said group by k) select k from s",
    ],
)
def test_any_other_view_does_not(project: Project, sql: str) -> None:
    """Which of its rows went cannot be told from the rows that changed beneath it."""
    assert not passes_rows_on(view(project, sql))


def test_a_folder_that_is_not_there_has_no_models(tmp_path: Path) -> None:
    """An empty project is no error of this reader."""
    assert read_models(tmp_path / "nothing") == ()
