"""A small project of models, written as files by a test, and what a test asks of a warehouse."""

from pathlib import Path

import duckdb
import yaml

from progress_pipeline.warehouse.building import Built
from progress_pipeline.warehouse.models import Model, read_models

BY_LOAD = {"materialized": "incremental", "incremental_by": "load_number"}
BY_K = {"materialized": "incremental", "incremental_by": "k"}
BY_G = {"materialized": "incremental", "incremental_by": "g"}


class Project:
    """A folder of models that a test writes as it goes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._entries: dict[str, dict[str, dict[str, object]]] = {}

    def write(self, name: str, sql: str, **entry: object) -> None:
        """Write a model: its SQL and its entry, in which what is not given is filled in."""
        schema, _, stem = name.partition(".")
        folder = self.folder / schema
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{stem}.sql").write_text(sql, encoding="utf-8")
        filled: dict[str, object] = {"description": f"About {stem}.", "grain": "One row per k.", "key": ["k"], **entry}
        section = "checks" if schema == "checks" else "models"
        if schema == "checks":
            filled = {"description": "What is asserted.", "what_to_do": "Look.", **entry}
        self._entries.setdefault(schema, {})[stem] = filled
        text = yaml.safe_dump({section: self._entries[schema]}, sort_keys=False)
        (folder / "_models.yml").write_text(text, encoding="utf-8")

    def remove(self, name: str) -> None:
        """Take a model away."""
        schema, _, stem = name.partition(".")
        (self.folder / schema / f"{stem}.sql").unlink()
        del self._entries[schema][stem]
        text = yaml.safe_dump({"models": self._entries[schema]}, sort_keys=False)
        (self.folder / schema / "_models.yml").write_text(text, encoding="utf-8")

    def models(self) -> tuple[Model, ...]:
        """Read it as the pipeline would."""
        return read_models(self.folder)


def rows(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[object, ...]]:
    """Give the rows of a table, sorted."""
    return connection.execute(f"from {table} order by all").fetchall()


def how(built: list[Built]) -> dict[str, tuple[bool, int]]:
    """Tell by model whether it was incremental and how many rows changed."""
    return {one.model: (one.was_incremental, one.changed_rows) for one in built}


def say(connection: duckdb.DuckDBPyConnection, load: int, *values: tuple[int | None, str | None, int]) -> None:
    """Load some rows."""
    for row in values:
        connection.execute("insert into raw.said values (?, ?, ?, ?)", [*row, load])
