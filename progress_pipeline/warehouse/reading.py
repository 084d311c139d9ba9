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


def column_types(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Give the columns of one of our own tables in their order, with DuckDB's name of the type."""
    schema, _, name = table.partition(".")
    rows = connection.execute(
        "select column_name, lower(data_type) from duckdb_columns() "
        "where database_name = current_catalog() and schema_name = $1 and table_name = $2 order by column_index",
        [schema, name],
    ).fetchall()
    return dict(rows)


def row_count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    """Count the rows of one of our own tables."""
    ((count,),) = connection.execute(f"select count(*) from {table}").fetchall()
    return int(count)
