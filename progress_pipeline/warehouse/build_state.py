"""What earlier builds left behind: for each model, of what it was made.

It stands in the schema `build` of the warehouse and is written in the transaction that writes the rows, so that the two
never disagree. What follows from a difference is decided in `deciding.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import duckdb

STATE_SCHEMA = "build"


@dataclass(frozen=True)
class Seen:
    """How far a model has taken in one of the tables it is made of.

    Attributes:
        version: For a raw table its greatest load number, for a model's table the build that last changed it.
        row_count: Rows that the table had then.
    """

    version: int
    row_count: int


@dataclass(frozen=True)
class ModelState:
    """What a model was when it was last built.

    Attributes:
        fingerprint: Of its SQL, its YAML and the columns of what it reads.
        version: The build that last changed its rows.
        row_count: Rows that it had then; 0 for a view.
        answer: What `rebuild_when` answered; empty without one.
        inputs: The stored tables that it is made of, through views, by name.
    """

    fingerprint: str
    version: int
    row_count: int = 0
    answer: str = ""
    inputs: dict[str, Seen] = field(default_factory=dict)


def read_state(connection: duckdb.DuckDBPyConnection) -> dict[str, ModelState]:
    """Read the state of all models; a warehouse that was never built has none."""
    tables = connection.execute(
        "select table_name from duckdb_tables() where database_name = current_catalog() and schema_name = ?",
        [STATE_SCHEMA],
    ).fetchall()
    if not {"models", "inputs"} <= {name for (name,) in tables}:
        return {}
    inputs: dict[str, dict[str, Seen]] = {}
    for model, name, version, row_count in connection.execute(
        f"select model, input, version, row_count from {STATE_SCHEMA}.inputs"
    ).fetchall():
        inputs.setdefault(model, {})[name] = Seen(version, row_count)
    return {
        model: ModelState(fingerprint, version, row_count, answer, inputs.get(model, {}))
        for model, fingerprint, version, row_count, answer in connection.execute(
            f"select model, fingerprint, version, row_count, answer from {STATE_SCHEMA}.models"
        ).fetchall()
    }


def write_state(
    connection: duckdb.DuckDBPyConnection, changed: dict[str, ModelState], forgotten: frozenset[str]
) -> None:
    """Write the state of the models that changed, and drop that of those that are no more."""
    connection.execute(f"create schema if not exists {STATE_SCHEMA}")
    connection.execute(
        f"create table if not exists {STATE_SCHEMA}.models "
        "(model text, fingerprint text, version bigint, row_count bigint, answer text)"
    )
    connection.execute(
        f"create table if not exists {STATE_SCHEMA}.inputs (model text, input text, version bigint, row_count bigint)"
    )
    gone = [*changed, *forgotten]
    for table in ("models", "inputs"):
        connection.execute(f"delete from {STATE_SCHEMA}.{table} where list_contains($gone, model)", {"gone": gone})
    models = [
        (name, state.fingerprint, state.version, state.row_count, state.answer) for name, state in changed.items()
    ]
    inputs = [
        (name, upstream, seen.version, seen.row_count)
        for name, state in changed.items()
        for upstream, seen in state.inputs.items()
    ]
    _insert(connection, f"{STATE_SCHEMA}.models", models)
    _insert(connection, f"{STATE_SCHEMA}.inputs", inputs)


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert few rows in one statement."""
    if rows:
        marks = ", ".join("(" + ", ".join("?" for _ in row) + ")" for row in rows)
        connection.execute(f"insert into {table} values {marks}", [value for row in rows for value in row])
