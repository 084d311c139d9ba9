"""A second catalog in memory, where the tables bear the same names and show only some of their rows.

`use`d in place of the warehouse, it lets a model's SELECT run word for word over the rows of a few keys, or over the
rows that changed. Its views are made before the transaction begins, since DuckDB lets one transaction write one
database; each shows a temporary view of the connection, and temporary views may be exchanged inside it.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

import duckdb

from progress_pipeline.warehouse.connection import catalog

TEMPORARY = "of_the_build__"
"""What the names of a build's temporary tables begin with."""

_CATALOG = "narrowed_for_a_build"


class Narrowed:
    """The second narrow. Made by `narrowed`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, warehouse: str, names: Iterable[str]) -> None:
        self._connection = connection
        self._warehouse = warehouse
        self.names = set(names)
        self._shown: dict[str, str] = {}

    def whole(self, name: str) -> str:
        """Give the full name of a table of the warehouse."""
        return f"{self._warehouse}.{name}"

    def show(self, name: str, sql: str) -> None:
        """Let a name stand for the rows of a SELECT; names in it mean what the `use` of the moment makes them mean."""
        if self._shown.get(name) != sql:
            self._connection.execute(f'create or replace temp view "{name}" as\n{sql}')
            self._shown[name] = sql

    def show_whole(self, name: str) -> None:
        """Let a name stand for all rows of its table."""
        self.show(name, f"select * from {self.whole(name)}")

    @contextmanager
    def used(self) -> Iterator[None]:
        """Let every name mean this catalog's tables for a while."""
        self._connection.execute(f"use {_CATALOG}")
        try:
            yield
        finally:
            with suppress(duckdb.TransactionException):  # a failed transaction takes no word until it is rolled back
                self.unused()

    def unused(self) -> None:
        """Let every name mean the warehouse's tables again."""
        self._connection.execute(f"use {self._warehouse}")


@contextmanager
def narrowed(connection: duckdb.DuckDBPyConnection, names: Iterable[str]) -> Iterator[Narrowed]:
    """Attach the second catalog for some tables of the warehouse, and take it away in the end.

    Args:
        connection: To the warehouse, outside of a transaction.
        names: Tables and views that stand in the warehouse.
    """
    narrow = Narrowed(connection, catalog(connection), names)
    connection.execute(f"attach ':memory:' as {_CATALOG}")
    try:
        for schema in sorted({name.partition(".")[0] for name in narrow.names}):
            connection.execute(f"create schema {_CATALOG}.{schema}")
        for name in sorted(narrow.names):
            try:
                narrow.show_whole(name)
            except (duckdb.CatalogException, duckdb.BinderException):
                narrow.names.discard(name)  # a view over something that is gone; what reads it is built whole
            else:
                connection.execute(f'create view {_CATALOG}.{name} as select * from temp."{name}"')
        yield narrow
    finally:
        narrow.unused()
        for name in sorted(narrow.names):
            connection.execute(f'drop view if exists temp."{name}"')
        connection.execute(f"detach {_CATALOG}")
