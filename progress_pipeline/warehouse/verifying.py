"""Whether a file that is to be published is what it should be, seen as a reader will see it.

It is opened alone, for reading, in a connection of its own: what it lacks shows here and not at an analyst's desk.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from progress_pipeline.errors import PublishError
from progress_pipeline.warehouse.models import Model


def verify(path: Path, models: Sequence[Model], counts: Mapping[str, int]) -> None:
    """See that each table has the rows it should, and that its key is unique and never null.

    Args:
        path: The file.
        models: Those that it must hold.
        counts: The row count of each in the warehouse.

    Raises:
        PublishError: Something is not so; the message says what.
        duckdb.Error: The file does not open, or a view in it does not work.
    """
    connection = duckdb.connect(str(path), read_only=True)
    try:
        for model in models:
            for problem in _problems(connection, model, counts[model.name]):
                raise PublishError(f"{model.name} is not fit to be published: {problem} The old file stands as it was.")
    finally:
        connection.close()


def _problems(connection: duckdb.DuckDBPyConnection, model: Model, expected: int) -> list[str]:
    """Say what is wrong with a table."""
    found = int(connection.execute(f"select count(*) from {model.name}").fetchall()[0][0])
    if found != expected:
        return [f"it has {found} rows in the new file and {expected} in the warehouse."]
    keys = ", ".join(f'"{column}"' for column in model.key)
    nulls = " or ".join(f'"{column}" is null' for column in model.key)
    without = connection.execute(f"select count(*) from {model.name} where {nulls}").fetchall()[0][0]
    if without:
        return [f"{without} rows have no {', '.join(model.key)}."]
    twice = connection.execute(
        f"select {keys} from {model.name} group by {keys} having count(*) > 1 order by all limit 3"
    ).fetchall()
    if twice:
        named = "; ".join(", ".join(str(part) for part in row) for row in twice)
        return [f"the key {', '.join(model.key)} is not unique, for instance {named}."]
    return []
