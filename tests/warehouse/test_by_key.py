"""A model that is refreshed by key makes a key's rows from that key's rows: proven from its shape, tried on data."""

import duckdb
import pytest

from progress_pipeline.warehouse.by_key import NotProvenError, prove_by_key
from progress_pipeline.warehouse.models import Model, read_models
from progress_pipeline.warehouse.sql_folder import SQL_FOLDER
from tests.warehouse.projects import BY_K, Project
from tests.warehouse.random_projects import FORMS

PROVEN = [
    "select k, v from raw.said where v > 1",
    "with s as (select * from raw.said), t as (select k as k, count(*) as n from s group by k) select * from t",
    "select k, max(v) as v from raw.said group by all",
    "select k as k, max(v) as v from raw.said group by 1 having count(*) > 1",
    "select distinct k, v from raw.said",
    "select k, row_number() over (partition by k order by v) as n from raw.said",
    "select k, row_number() over w as n from raw.said window w as (partition by g, k order by v)",
    "select * from raw.said qualify row_number() over (partition by k order by v) = 1",
    "select s.k, t.v from raw.said as s inner join raw.told as t on s.k = t.k and s.v < t.v",
    "select s.k, t.v from raw.said as s inner join raw.told as t on s.v < t.v where t.k = s.k",
    "select s.k, t.v from raw.said as s left join raw.told as t on t.k = s.k",
    "select t.k, s.v from raw.said as s right join raw.told as t on t.k = s.k",
    "select s.k, u.v from raw.said as s left join raw.told as t on t.k = s.k inner join raw.said as u on u.k = t.k",
    "select coalesce(s.k, t.k) as k, s.v from raw.said as s full join raw.told as t on s.k = t.k",
    "select s.k from raw.said as s semi join raw.told as t on s.k = t.k",
    "select s.* from raw.said as s anti join raw.told as t on s.k = t.k and t.v = s.v",
    "select k, v from raw.said union all select k, v from raw.told",
    "select k, v from raw.said except select k, v from raw.told",
    "select s.k, r.v from raw.said as s left join raw.runs as r on s.v = r.v",
    "select s.k, r.v from raw.runs as r inner join raw.said as s on s.v = r.v",
    "with r as (select max(v) as v from raw.runs) select k, r.v from raw.said cross join r",
    "select k, (select max(v) from raw.runs) as v from raw.said where v in (select v from raw.runs)",
    "select k from raw.said as s where exists (select 1 from raw.told as t where t.k = s.k and t.v > s.v)",
    "select k, (select max(v) from raw.told as t where s.k = t.k) as v from raw.said as s",
    "select k, v from raw.said where k in (select k from raw.told where v > 2)",
    "select k, n from raw.said cross join unnest([1, 2]) as u(n)",
]

NOT_PROVEN = {
    "select g as k from raw.said": "the column k is not passed on",
    "select k + 1 as k from raw.said": "the column k is not passed on",
    "select max(k) as k, g from raw.said group by g": "a group reaches over keys",
    "select count(*) as k from raw.said": "a group reaches over keys",
    "select k, count(*) as n from raw.said group by grouping sets ((k), ())": "a group reaches over keys",
    "select k, sum(v) over () as n from raw.said": "a window reaches over keys",
    "select k, lag(v) over (partition by g order by k) as n from raw.said": "a window reaches over keys",
    "select k, sum(v) over w as n from raw.said window w as (partition by g)": "a window reaches over keys",
    "select * from raw.said qualify row_number() over (order by v) <= 3": "a window reaches over keys",
    "select k from raw.said order by v limit 3": "a limit chooses",
    "with s as (select k, v from raw.said limit 3) select k, v from s": "a limit chooses",
    "with g as (select distinct g from raw.said) select s.k from raw.said as s join g on s.g = g.g": "a distinct",
    "select distinct on (g) k, g from raw.said": "a distinct without",
    "select s.k from raw.said as s join raw.told as t on s.g = t.g": "t is joined by something else",
    "select s.k from raw.said as s, raw.told as t": "t is joined by something else",
    "select s.k from raw.said as s join raw.told as t on s.k = t.k or s.g = t.g": "t is joined by something else",
    "select s.k from raw.said as s join raw.told as t on s.k = t.g": "t is joined by something else",
    "select s.k from raw.said as s left join raw.told as t on s.g = t.g where t.k = s.k": "t is joined by something",
    "select t.k from raw.said as s left join raw.told as t on s.k = t.k": "the column k is not passed on",
    "select s.k from raw.said as s full join raw.told as t on s.k = t.k": "the column k is not passed on",
    "select coalesce(s.k, s.k) as k from raw.said as s full join raw.told as t on s.k = t.k": "k is not passed on",
    "select s.k from raw.runs as r left join raw.said as s on r.v = s.v": "every row of a lookup stays",
    "select s.k from raw.said as s right join raw.runs as r on r.v = s.v": "every row of the lookup r stays",
    "select s.k from raw.said as s full join raw.runs as r on r.v = s.v": "a full join with a lookup",
    "select k, v from raw.said union all select v as k, v from raw.runs": "a union with a lookup alone",
    "select k, g from raw.said union all select g as k, k as g from raw.told": "the key in the same place",
    "select k from raw.said where g in (select g from raw.told)": "a nested query reads rows of other keys",
    "select k from raw.said where k not in (select k from raw.told)": "a nested query reads rows of other keys",
    "select k, (select max(v) from raw.told) as v from raw.said": "a nested query reads rows of other keys",
    "select k from raw.said as s where exists (select 1 from raw.told as t where t.g = s.g)": "a nested query reads",
    "select k from raw.said where exists (select k from raw.told union select k from raw.said)": "a nested query reads",
    "select g as k, * from raw.said": "the column k is not passed on",
    "select * exclude (k), g as k from raw.said": "the column k is not passed on",
    "select k from raw.said as s(g, k, v)": "the column k is not passed on",
    "with s(g, k, v) as (select k, g, v from raw.said) select k from s": "the column k is not passed on",
    "with s as (select * from raw.said) select t.*, s.v from raw.told as t left join s on s.g = t.g": "s is joined",
    "with recursive r as (select k from raw.said union all select k + 1 from r where k < 9) from r": "recursive",
}


def model(project: Project, sql: str) -> Model:
    """Make an incremental model of a SELECT, with runs as a lookup."""
    lookups = ["raw.runs"] if "raw.runs" in sql else []
    project.write("marts.m", sql, read_whole=lookups, **BY_K)
    return project.models()[0]


def test_every_incremental_model_of_the_project_is_proven() -> None:
    """What grows with history is refreshed by a key that its SQL keeps to, or the tables would drift unseen."""
    unproven = {}
    for each in read_models(SQL_FOLDER):
        if each.materialized == "incremental":
            try:
                prove_by_key(each)
            except NotProvenError as error:
                unproven[each.name] = str(error)
    assert unproven == {}


def test_the_forms_of_the_property_test_are_proven(project: Project) -> None:
    """The proof and the property speak of the same SQL."""
    for name, (sql, entry) in FORMS.items():
        if entry["materialized"] == "incremental":
            filled = sql.format(a="raw.said", b="raw.told")
            whole = ["raw.runs"] if "raw.runs" in sql else []
            lookups = ["raw.told"] if name == "joined by another column" else []
            by = entry["incremental_by"]
            project.write("marts.m", filled, materialized="incremental", incremental_by=by, read_whole=whole + lookups)
            prove_by_key(project.models()[0])


@pytest.mark.parametrize("sql", PROVEN)
def test_what_is_proven_holds_on_data(project: Project, sql: str) -> None:
    """Key by key, and for two keys at once, the rows are those of the whole."""
    prove_by_key(model(project, sql))
    connection = duckdb.connect()
    try:
        connection.execute("create schema raw")
        connection.execute("select setseed(0.42)")
        for table in ("said", "told", "runs"):
            connection.execute(
                f"create table raw.every_{table} as select cast(random() * 5 as int) as k, "
                "cast(random() * 3 as int) as g, cast(random() * 4 as int) as v from range(25)"
            )
        for keys in ("0", "1", "2", "3", "4", "5", "1, 3", "0, 1, 2, 3, 4, 5"):
            for table, where in (("said", f"k in ({keys})"), ("told", f"k in ({keys})"), ("runs", "true")):
                connection.execute(f"create or replace view raw.{table} as from raw.every_{table} where {where}")
            part = connection.execute(f"from ({sql}) order by all").fetchall()
            for table in ("said", "told"):
                connection.execute(f"create or replace view raw.{table} as from raw.every_{table}")
            assert part == connection.execute(f"from ({sql}) where k in ({keys}) order by all").fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize(("sql", "why"), NOT_PROVEN.items())
def test_what_could_reach_over_keys_is_not_proven(project: Project, sql: str, why: str) -> None:
    """Each with the reason, so that its author knows what to change."""
    with pytest.raises(NotProvenError, match=why):
        prove_by_key(model(project, sql))
