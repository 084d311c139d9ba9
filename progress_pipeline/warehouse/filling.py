"""Filling a new published file: tables, comments, `readme` and `dictionary`.

Nobody else knows the file while it is written, so its tables are written some at a time. What is true of the file as a
whole, such as whether it is fit to be published, is judged in `verifying.py`.
"""

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat
from pathlib import Path
from queue import SimpleQueue

import duckdb
from sqlglot import exp

from progress_pipeline.warehouse.connection import catalog, literal, prepare
from progress_pipeline.warehouse.models import Model
from progress_pipeline.warehouse.personal import PersonalData, Privacy, Shown, set_key, shown_columns
from progress_pipeline.warehouse.reading import column_types
from progress_pipeline.warehouse.readme import readme_rows
from progress_pipeline.warehouse.sql_folder import PRELUDE

PUBLISHED_SCHEMAS = ("marts", "audit")
STORAGE_VERSION = "v1.5.0"
"""The format of the file: the oldest DuckDB that most people have."""

README = "readme"
"""The table of facts about the file itself, in the schema `main`."""

DICTIONARY = "dictionary"
"""The table of what every column means, in the schema `main`; the same texts are the columns' comments."""

AT_ONCE = 2
"""Tables that are written or read at a time: of a small one, most of the work is not DuckDB's to divide."""

_ASIDE = "published_aside"
_MACRO = re.compile(r"\bmacro\s+(\w+)\s*\(")
_OWN_TABLES = {
    README: (
        "One row per fact about this file. Read this first.",
        {"topic": "What the fact is about.", "text": "The fact."},
    ),
    DICTIONARY: (
        "One row per column of every table in this file.",
        {
            "table_name": "The table, with its schema.",
            "column_name": "The column.",
            "type": "Its type in DuckDB.",
            "is_key": "yes for the columns that together make a row unique.",
            "meaning": "What it means.",
        },
    ),
}
"""The tables of the schema `main`: what each is, and its columns, all of them texts."""


@dataclass(frozen=True)
class Filled:
    """A table of the new file.

    Attributes:
        model: What it holds.
        row_count: The rows that it must have.
        columns: What is published of its columns.
    """

    model: Model
    row_count: int
    columns: tuple[Shown, ...]


def fill(  # noqa: PLR0913 - what a file is made of is few, and named
    connection: duckdb.DuckDBPyConnection,
    aside: Path,
    models: Sequence[Model],
    *,
    as_of: datetime,
    facts: Mapping[str, str],
    privacy: Privacy,
) -> list[Filled]:
    """Write a new file.

    Args:
        connection: To the warehouse.
        aside: The file; not there yet.
        models: What may be in it.
        as_of: The instant that the data is true for.
        facts: What `readme` says besides.
        privacy: What may be told of persons.
    """
    warehouse = catalog(connection)
    connection.execute(f"attach {literal(str(aside))} as {_ASIDE} (storage_version '{STORAGE_VERSION}')")
    try:
        connection.execute("; ".join(f"create schema {_ASIDE}.{schema}" for schema in PUBLISHED_SCHEMAS))
        is_full = privacy.personal_data is PersonalData.FULL
        stay_views = _views(models) if is_full else frozenset[str]()
        columns = column_types(connection)
        shown = {model: tuple(shown_columns(model, list(columns[model.name]), privacy)) for model in models}
        wanted = [_Wanted(model, warehouse, shown[model]) for model in models if shown[model]]
        filled = _put_tables(connection, [each for each in wanted if each.model.name not in stay_views], privacy)
        connection.execute("begin")
        filled += [_put_view(connection, each) for each in wanted if each.model.name in stay_views]
        filled.sort(key=lambda each: models.index(each.model))
        _put_dictionary(connection, filled)
        rows = readme_rows(connection, _ASIDE, [each.model for each in filled], as_of, privacy)
        _put_rows(connection, README, [*rows.items(), *facts.items()])
        connection.execute("commit")
        connection.execute(f"checkpoint {_ASIDE}")
    except BaseException:
        _roll_back(connection)
        raise
    finally:
        connection.execute(f"use {warehouse}")
        connection.execute(f"detach {_ASIDE}")
    return filled


@dataclass(frozen=True)
class _Wanted:
    """A table or view to be put into the file: its model, the database that it comes from, what is shown of it."""

    model: Model
    warehouse: str
    shown: tuple[Shown, ...]


def _put_tables(connection: duckdb.DuckDBPyConnection, wanted: Sequence[_Wanted], privacy: Privacy) -> list[Filled]:
    """Put tables into the file, some at once, each writer in a transaction of its own."""
    queue = SimpleQueue[_Wanted | None]()
    for each in (*wanted, *repeat(None, AT_ONCE)):
        queue.put(each)

    def write() -> list[Filled]:
        with connection.cursor() as writer:
            prepare(writer)
            set_key(writer, privacy)
            writer.execute("begin")
            filled = [_put_table(writer, each) for each in iter(queue.get, None)]
            writer.execute("commit")
        return filled

    with ThreadPoolExecutor(AT_ONCE) as pool:
        writers = [pool.submit(write) for _ in range(AT_ONCE)]
    return [each for writer in writers for each in writer.result()]


def _put_table(writer: duckdb.DuckDBPyConnection, wanted: _Wanted) -> Filled:
    """Put one table into the file, with its comments."""
    model, shown = wanted.model, wanted.shown
    columns = ", ".join(f'{column.sql} as "{column.name}"' for column in shown)
    by = _order(wanted)
    ((count,),) = writer.execute(
        f"create table {_ASIDE}.{model.name} as select {columns} from {wanted.warehouse}.{model.name}{by}"
    ).fetchall()
    _comment(writer, "table", wanted)
    return Filled(model, int(count), shown)


def _order(wanted: _Wanted) -> str:
    """Say in which order rows are to lie; those of a stored table that is kept sorted lie so, or nearly so, already."""
    model = wanted.model
    if model.sorted_by and model.materialized != "view":
        return ""
    names = {column.name for column in wanted.shown}
    order = ", ".join(f'"{column}" nulls first' for column in model.sorted_by or model.key if column in names)
    return f" order by {order}" if order else ""


def _put_view(connection: duckdb.DuckDBPyConnection, wanted: _Wanted) -> Filled:
    """Put one view into the file, with its comments."""
    model = wanted.model
    connection.execute(f"use {_ASIDE}")
    connection.execute(f"create view {model.name} as\n{model.sql}")
    connection.execute(f"use {wanted.warehouse}")
    ((count,),) = connection.execute(f"select count(*) from {wanted.warehouse}.{model.name}").fetchall()
    _comment(connection, "view", wanted)
    return Filled(model, int(count), wanted.shown)


def _comment(connection: duckdb.DuckDBPyConnection, kind: str, wanted: _Wanted) -> None:
    """Say of a table and its columns what they are."""
    model, name = wanted.model, f"{_ASIDE}.{wanted.model.name}"
    grain = model.grain if model.grain.endswith(".") else f"{model.grain}."
    connection.execute(f"comment on {kind} {name} is {literal(f'{grain} {model.description}')}")
    for column in wanted.shown:
        connection.execute(f'comment on column {name}."{column.name}" is {literal(column.description)}')


def _put_dictionary(connection: duckdb.DuckDBPyConnection, filled: Sequence[Filled]) -> None:
    """Write what every column means."""
    types = column_types(connection, _ASIDE)
    rows = [
        (
            each.model.name,
            column.name,
            types[each.model.name][column.name],
            "yes" if column.name in each.model.key else "",
            column.description,
        )
        for each in filled
        for column in each.columns
    ]
    _put_rows(connection, DICTIONARY, rows)


def _put_rows(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[str]]) -> None:
    """Write a small table of texts, in the order of its rows, with its comments."""
    name, (about, columns) = f"{_ASIDE}.main.{table}", _OWN_TABLES[table]
    connection.execute(f"create table {name} ({', '.join(f'{column} varchar' for column in columns)})")
    if rows:
        cells = ", ".join("unnest(?::varchar[])" for _ in columns)
        connection.execute(f"insert into {name} select {cells}", [list(column) for column in zip(*rows, strict=True)])
    connection.execute(f"comment on table {name} is {literal(about)}")
    for column, meaning in columns.items():
        connection.execute(f"comment on column {name}.{column} is {literal(meaning)}")


def _views(models: Sequence[Model]) -> frozenset[str]:
    """Choose the views that can stay views: those that need nothing that is not in the file."""
    names = {model.name for model in models}
    prelude = {name.lower() for name in _MACRO.findall(PRELUDE.read_text(encoding="utf-8"))}
    return frozenset(
        model.name
        for model in models
        if model.materialized == "view"
        and set(model.depends_on) <= names
        and not {call.name.lower() for call in model.text.expression.find_all(exp.Anonymous)} & prelude
    )


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    """Give up what was begun, if anything still is."""
    try:
        connection.execute("rollback")
    except duckdb.Error:
        return  # there was no transaction any more; the error on its way tells what happened
