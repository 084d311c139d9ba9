"""The dictionary says what every column means, safely and always alike; the lineage says where it comes from."""

import duckdb

from progress_pipeline.warehouse.building import build
from progress_pipeline.warehouse.dictionary import dictionary, undescribed
from progress_pipeline.warehouse.lineage import Source, trace_columns
from progress_pipeline.warehouse.models import read_models
from progress_pipeline.warehouse.sql_folder import SQL_FOLDER
from tests.warehouse.projects import Project


def test_every_model_and_column_is_in_the_dictionary(project: Project) -> None:
    """With its grain, its key, what it reads, and each column's meaning; what would break the table is escaped."""
    project.write(
        "marts.m",
        "select k, v from raw.said",
        description="All that was\n  said.",
        grain="One row per k",
        columns={"k": "The <key> | of it.", "v": "The value."},
    )
    text = dictionary(project.models())
    assert "### marts.m\n\n**One row per k.** All that was said.\n\nKey: `k`. A view. Reads `raw.said`.\n" in text
    assert "| `k` | The &lt;key> \\| of it. |\n| `v` | The value. |\n" in text


def test_types_come_from_the_built_tables(connection: duckdb.DuckDBPyConnection, project: Project) -> None:
    """Where there is a warehouse, every column that stands in it is listed, described or not."""
    connection.execute("create schema raw")
    connection.execute("create table raw.said as select 1::bigint as k, 'a' as v, 1::bigint as load_number")
    project.write("marts.m", "select * from raw.said", columns={"k": "The key."})
    build(connection, project.models())
    text = dictionary(project.models(), connection=connection)
    assert "| `k` | bigint | The key. |\n| `v` | varchar |  |\n" in text
    assert undescribed(project.models(), connection=connection) == ("marts.m.v", "marts.m.load_number")


def test_a_column_without_a_description_is_found_without_a_warehouse(project: Project) -> None:
    """The SQL says which columns it makes; the YAML must say what they mean."""
    project.write("marts.m", "select k, v as w from raw.said", columns={"k": "The key."})
    assert undescribed(project.models()) == ("marts.m.w",)


def test_no_published_column_of_the_project_is_undescribed() -> None:
    """What an analyst sees has a meaning that is written down."""
    published = [model for model in read_models(SQL_FOLDER) if model.schema in {"marts", "audit"}]
    assert undescribed(published) == ()


def test_a_column_is_traced_through_steps_joins_and_unions(project: Project) -> None:
    """To the columns that its value is made of, not to those that choose its row."""
    project.write(
        "marts.m",
        """
        with said as (select * from raw.said), told as (select k, upper(v) as v from raw.told where k > 0),
        both as (select k, v from said union all select k, v from told)
        select
            both.k,
            coalesce(both.v, names.name) as v,
            (select max(as_of) from raw.runs) as as_of,
            count(*) over (partition by both.k) as n,
            'fixed' as fixed
        from both left join raw.names as names on both.k = names.k
        where names.hidden is null
        """,
    )
    project.write("audit.a", "select * from marts.m", key=["k"])
    columns = {
        "raw.said": ["k", "v"],
        "raw.told": ["k", "v"],
        "raw.names": ["k", "name", "hidden"],
        "raw.runs": ["as_of"],
    }
    models = project.models()
    found = trace_columns(models, columns)
    assert found["marts.m"] == {
        "k": (Source("raw.said", "k"), Source("raw.told", "k")),
        "v": (Source("raw.names", "name"), Source("raw.said", "v"), Source("raw.told", "v")),
        "as_of": (Source("raw.runs", "as_of"),),
        "n": (Source("raw.said", "k"), Source("raw.told", "k")),
        "fixed": (),
    }
    assert found["audit.a"]["as_of"] == (Source("marts.m", "as_of"),)


def test_every_described_column_of_the_project_is_traced() -> None:
    """None is left out, whatever SQL it is made by."""
    models = read_models(SQL_FOLDER)
    found = trace_columns(models)
    for model in models:
        assert set(found[model.name]) >= {column.name for column in model.columns}
