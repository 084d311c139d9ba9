"""What stands in the warehouse now: which tables and views, their columns and sizes, and how raw has grown.

Only looks; every look is cheap whatever the size of a table, since DuckDB answers counts and the greatest load number
from its statistics.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import duckdb

from progress_pipeline.warehouse.build_state import Seen
from progress_pipeline.warehouse.models import RAW, SCHEMAS

Columns = tuple[tuple[str, str], ...]
"""Names and types, in order."""

LOAD_NUMBER = "load_number"


@dataclass
class Standing:
    """The tables and views of the warehouse.

    Attributes:
        columns: By relation, such as `marts.fct_progress`.
        views: Those that are views.
    """

    columns: dict[str, Columns] = field(default_factory=dict)
    views: set[str] = field(default_factory=set)

    def kind(self, name: str) -> str | None:
        """Say whether a name is a table, a view or nothing."""
        if name not in self.columns:
            return None
        return "view" if name in self.views else "table"


@dataclass(frozen=True)
class RawGrowth:
    """How a raw table stands against what a model has taken in.

    Attributes:
        now: The table as it is.
        new_rows: Rows of later loads than the model has seen.
    """

    now: Seen
    new_rows: int

    @property
    def old_rows(self) -> int:
        """Rows of the loads that the model has seen."""
        return self.now.row_count - self.new_rows


def look(connection: duckdb.DuckDBPyConnection) -> Standing:
    """See which tables and views there are."""
    standing = Standing()
    rows = connection.execute(
        """
        select columns.schema_name || '.' || columns.table_name, columns.column_name, columns.data_type,
            views.view_oid is not null
        from duckdb_columns() as columns
        left join duckdb_views() as views on views.view_oid = columns.table_oid
            and views.database_name = columns.database_name and views.schema_name = columns.schema_name
            and views.view_name = columns.table_name
        where columns.database_name = current_catalog() and list_contains($schemas, columns.schema_name)
        order by columns.schema_name, columns.table_name, columns.column_index
        """,
        {"schemas": [RAW, *SCHEMAS]},
    ).fetchall()
    for name, column, kind, is_view in rows:
        standing.columns[name] = (*standing.columns.get(name, ()), (column, kind))
        if is_view:
            standing.views.add(name)
    return standing


def columns_of(connection: duckdb.DuckDBPyConnection, relation: str) -> Columns:
    """Give the columns of one table, view or bracketed SELECT."""
    return tuple((row[0], row[1]) for row in connection.execute(f"describe from {relation}").fetchall())


def count_rows(connection: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> dict[str, int]:
    """Count the rows of tables, all in one query."""
    names = list(tables)
    if not names:
        return {}
    counts = " union all ".join(f"select '{name}', count(*) from {name}" for name in names)
    return dict(connection.execute(counts).fetchall())


def raw_growth(
    connection: duckdb.DuckDBPyConnection, seen: Iterable[tuple[str, int]]
) -> dict[tuple[str, int], RawGrowth]:
    """See how raw tables have grown since given load numbers, all in one query."""
    wanted = sorted(set(seen))
    if not wanted:
        return {}
    looks = " union all ".join(
        f"select '{name}', {version}, (select coalesce(max({LOAD_NUMBER}), 0) from {name}), "
        f"(select count(*) from {name}), (select count(*) from {name} where {LOAD_NUMBER} > {version})"
        for name, version in wanted
    )
    return {
        (name, version): RawGrowth(Seen(newest, total), new_rows)
        for name, version, newest, total, new_rows in connection.execute(looks).fetchall()
    }
