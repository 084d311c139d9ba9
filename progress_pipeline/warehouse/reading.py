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


def row_count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    """Count the rows of one of our own tables."""
    ((count,),) = connection.execute(f"select count(*) from {table}").fetchall()
    return int(count)
