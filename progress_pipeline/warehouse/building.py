"""Making the tables of the SQL models, all of one build in one transaction."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

from progress_pipeline.errors import ModelError
from progress_pipeline.warehouse.models import SCHEMAS, Model


@dataclass(frozen=True)
class Built:
    """What a build did to one model.

    Attributes:
        model: The table.
        row_count: Rows it has now; 0 for a view, whose rows are not counted.
        changed_rows: Rows that it lost or gained.
        seconds: How long it took.
        was_incremental: Whether only the rows of changed keys were made.
        how: In a few words, what was done and why.
    """

    model: str
    row_count: int
    changed_rows: int
    seconds: float
    was_incremental: bool
    how: str


def build(
    connection: duckdb.DuckDBPyConnection,
    models: Iterable[Model],
    *,
    only: frozenset[str] | None = None,
    full_refresh: bool = False,
) -> list[Built]:
    """Bring the models up to date with raw.

    Args:
        connection: To the warehouse, from `connect`.
        models: All models, in the order of `read_models`.
        only: The names of those to build; without it all are.
        full_refresh: Build everything whole.

    Raises:
        ModelError: A model failed; nothing is changed then.
    """
    del full_refresh
    connection.execute("begin")
    try:
        for schema in SCHEMAS:
            connection.execute(f"create schema if not exists {schema}")
        built = [_build_whole(connection, model) for model in models if only is None or model.name in only]
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")
    return built


def _build_whole(connection: duckdb.DuckDBPyConnection, model: Model) -> Built:
    started = time.perf_counter()
    kind = "view" if model.materialized == "view" else "table"
    try:
        connection.execute(f"create or replace {kind} {model.name} as\n{model.sql}")
    except duckdb.Error as error:
        raise ModelError(f"{model.path}: {model.name} failed: {error}") from error
    count = 0
    if kind == "table":
        row = connection.execute(f"select count(*) from {model.name}").fetchone()
        count = row[0] if row else 0
    return Built(model.name, count, count, time.perf_counter() - started, was_incremental=False, how="built whole")
