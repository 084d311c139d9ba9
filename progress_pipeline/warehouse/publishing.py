"""The published file: marts and audit, built aside, verified, and put in place of the old one in one instant.

It needs nothing but itself: no warehouse, no function of the prelude, and it opens in DuckDB 1.5 and later. Readers of
the old file keep it until they close it. How it is verified is in `verifying.py`; versions and manifest in
`versions.py`.
"""

import errno
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from sqlglot import exp

from progress_pipeline.errors import PublishError
from progress_pipeline.warehouse.connection import SCHEMA_NAMES, WAIT_SECONDS, catalog, connect
from progress_pipeline.warehouse.models import Model
from progress_pipeline.warehouse.verifying import verify
from progress_pipeline.warehouse.versions import PublishedTable, describe_file, keep_version, write_manifest

PUBLISHED_SCHEMAS = ("marts", "audit")
STORAGE_VERSION = "v1.5.0"
"""The format of the file: the oldest DuckDB that most people have."""

README = "readme"
"""The table of facts about the file itself, in the schema `main`."""

_ASIDE = "published_aside"
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True)
class Published:
    """A file that was published.

    Attributes:
        path: Where it is.
        tables: Its tables and views, with their row counts.
        byte_count: Its size.
        sha256: Of its bytes, in hex.
        as_of: The instant that its data is true for.
    """

    path: Path
    tables: tuple[PublishedTable, ...]
    byte_count: int
    sha256: str
    as_of: datetime


def publish(  # noqa: PLR0913 - what a caller may want is few, named, and has defaults
    warehouse: Path,
    published: Path,
    models: Iterable[Model],
    *,
    as_of: datetime,
    facts: Mapping[str, str] | None = None,
    keep: int = 3,
    wait_seconds: float = WAIT_SECONDS,
) -> Published:
    """Publish the marts and the audit.

    Args:
        warehouse: The warehouse; nobody else may have it open.
        published: The file to put in place.
        models: All models, in the order of `read_models`.
        as_of: The instant that the data is true for.
        facts: What the file says of itself in its table `readme`, by topic.
        keep: How many versions stand in the folder `versions` beside it, this one among them; 0 for none.
        wait_seconds: How long to wait for another process to let go of the warehouse.

    Raises:
        PublishError: The new file could not be made or failed its verification; the old one stands as it was.
        WarehouseBusyError: Another process holds the warehouse.
    """
    if published.stem.lower() in SCHEMA_NAMES:
        raise PublishError(f"{published} bears the name of a schema, which its readers would trip over. Rename it.")
    if not warehouse.exists():
        raise PublishError(f"There is no warehouse at {warehouse} yet, so there is nothing to publish. Run first.")
    chosen = [model for model in models if model.schema in PUBLISHED_SCHEMAS]
    published.parent.mkdir(parents=True, exist_ok=True)
    aside = published.with_name(f".{published.name}.{os.getpid()}.building")
    with connect(warehouse, wait_seconds=wait_seconds) as connection:
        _remove_leftovers(published)
        try:
            counts = _build_aside(connection, aside, chosen, as_of, facts or {})
            verify(aside, chosen, counts)
            _sync(aside)
            manifest = describe_file(aside, published.name, chosen, counts, as_of)
            aside.replace(published)
            _sync(published.parent)
        except (duckdb.Error, OSError) as error:
            raise _failure(published, error) from error
        finally:
            _remove_leftovers(published)
        try:
            keep_version(published, manifest, keep=keep)
            write_manifest(published.with_name(f"{published.name}.manifest.json"), manifest)
        except OSError as error:
            raise PublishError(
                f"{published} is new and whole, but its manifest or versions could not be written: {error}."
            ) from error
    return Published(published, manifest.tables, manifest.byte_count, manifest.sha256, as_of)


def _build_aside(
    connection: duckdb.DuckDBPyConnection,
    aside: Path,
    models: list[Model],
    as_of: datetime,
    facts: Mapping[str, str],
) -> dict[str, int]:
    """Write the file; gives the row count that each of its tables must have."""
    warehouse = catalog(connection)
    counts: dict[str, int] = {}
    connection.execute(f"attach {_literal(str(aside))} as {_ASIDE} (storage_version '{STORAGE_VERSION}')")
    try:
        for schema in PUBLISHED_SCHEMAS:
            connection.execute(f"create schema {_ASIDE}.{schema}")
        stays_view = _views(models, _prelude_functions(connection))
        for model in models:
            if model.name in stays_view:
                connection.execute(f"use {_ASIDE}")
                connection.execute(f"create view {model.name} as\n{model.sql}")
                connection.execute(f"use {warehouse}")
            else:
                order = ", ".join(f'"{column}" nulls first' for column in model.sorted_by or model.key)
                source = f"{warehouse}.{model.name}"
                connection.execute(f"create table {_ASIDE}.{model.name} as select * from {source} order by {order}")
            counts[model.name] = _count(connection, f"{warehouse}.{model.name}")
            _comment(connection, model, "view" if model.name in stays_view else "table")
        _write_readme(connection, as_of, facts)
        connection.execute(f"checkpoint {_ASIDE}")
    finally:
        connection.execute(f"use {warehouse}")
        connection.execute(f"detach {_ASIDE}")
    return counts


def _views(models: list[Model], prelude: frozenset[str]) -> frozenset[str]:
    """Choose the views that can stay views: those that need nothing that is not in the file."""
    names = {model.name for model in models}
    return frozenset(
        model.name
        for model in models
        if model.materialized == "view"
        and set(model.depends_on) <= names
        and not {call.name.lower() for call in model.text.expression.find_all(exp.Anonymous)} & prelude
    )


def _prelude_functions(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    rows = connection.execute(
        "select function_name from duckdb_functions() where database_name = 'temp' and function_type = 'macro'"
    ).fetchall()
    return frozenset(name for (name,) in rows)


def _comment(connection: duckdb.DuckDBPyConnection, model: Model, kind: str) -> None:
    """Put the descriptions of a model and its columns into the file."""
    name = f"{_ASIDE}.{model.name}"
    grain = model.grain if model.grain.endswith(".") else f"{model.grain}."
    connection.execute(f"comment on {kind} {name} is {_literal(f'{grain} {model.description}')}")
    for column in model.columns:
        connection.execute(f'comment on column {name}."{column.name}" is {_literal(column.description)}')


def _write_readme(connection: duckdb.DuckDBPyConnection, as_of: datetime, facts: Mapping[str, str]) -> None:
    """Write what the file says of itself."""
    rows = {"as_of": as_of.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"), **facts}
    values = ", ".join(f"({number}, ?, ?)" for number in range(1, len(rows) + 1))
    table = f"{_ASIDE}.main.{README}"
    connection.execute(
        f"create table {table} as select topic, text from (values {values}) as f(number, topic, text) order by number",
        [part for row in rows.items() for part in row],
    )
    connection.execute(f"comment on table {table} is 'One row per fact about this file. Read this first.'")
    connection.execute(f"comment on column {table}.topic is 'What the fact is about.'")
    connection.execute(f"comment on column {table}.text is 'The fact.'")


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(connection.execute(f"select count(*) from {table}").fetchall()[0][0])


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _sync(path: Path) -> None:
    """See that a file's bytes, or a folder's names, are on the disk for good."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove_leftovers(published: Path) -> None:
    """Remove what this or a killed run left beside the file; who publishes holds the warehouse, so none is in use."""
    for leftover in published.parent.glob(f".{published.name}.*.building*"):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def _failure(published: Path, error: Exception) -> PublishError:
    number = getattr(error, "errno", None)
    stands = "The file that stood there stands as it was." if published.exists() else "No file stands there yet."
    if number in _NO_ROOM or any(os.strerror(code) in str(error) for code in _NO_ROOM):
        return PublishError(
            f"There is no room left to publish {published}: {error}. Free some space (the new file is built beside "
            f"the old one, so both must fit) and run again. {stands}"
        )
    return PublishError(f"{published} could not be made: {error}. {stands}")
