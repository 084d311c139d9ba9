"""A published file as an analyst asks it, and more to publish."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb

from progress_pipeline.warehouse.building import build
from progress_pipeline.warehouse.connection import connect
from tests.warehouse.projects import Project

AS_OF = datetime(2026, 2, 1, 5, tzinfo=UTC)


def say_more(warehouse: Path, project: Project, count: int) -> None:
    """Load and build some more rows."""
    with connect(warehouse) as connection:
        connection.execute(
            f"insert into raw.said select 1 + range + (select max(k) from raw.said), range, 2 from range({count})"
        )
        build(connection, project.models())


def ask(path: Path, sql: str) -> list[tuple[object, ...]]:
    """Open a file as an analyst would, and ask."""
    connection = duckdb.connect(str(path), read_only=True)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()
