"""Reading tables for those who show them. No model and no rule stands here."""

import duckdb


def first_rows(connection: duckdb.DuckDBPyConnection, table: str, count: int) -> list[dict[str, object]]:
    """Give some rows of a table, by column name.

    Args:
        connection: To the warehouse.
        table: One of our own tables, such as `marts.fct_progress`.
        count: Rows at the most.
    """
    cursor = connection.execute(f"select * from {table} limit {count:d}")
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def column_types(connection: duckdb.DuckDBPyConnection, database: str | None = None) -> dict[str, dict[str, str]]:
    """Give the columns of every table and view in their order, with DuckDB's name of the type, by `schema.table`.

    Args:
        connection: To the warehouse.
        database: The name of an attached file; the open one if none is given.
    """
    rows = connection.execute(
        "select schema_name || '.' || table_name, column_name, lower(data_type) from duckdb_columns() "
        "where database_name = coalesce($1, current_catalog()) and not internal "
        "order by schema_name, table_name, column_index",
        [database],
    ).fetchall()
    types: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        types.setdefault(table, {})[column] = kind
    return types
