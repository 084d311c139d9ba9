"""Whether a file that is to be published is what it should be, seen as a reader will see it.

It is opened alone, for reading, in a database of its own: what it lacks shows here and not at an analyst's desk.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import duckdb

from progress_pipeline.errors import PublishError
from progress_pipeline.warehouse.filling import AT_ONCE, Filled


@contextmanager
def open_as_reader(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a published file as its readers do.

    Raises:
        duckdb.Error: It does not open.
    """
    connection = duckdb.connect(str(path), read_only=True)
    try:
        connection.execute("set enable_progress_bar = false")
        yield connection
    finally:
        connection.close()


def verify(reader: duckdb.DuckDBPyConnection, filled: Sequence[Filled]) -> None:
    """See that each table has the rows it should, and that its key is unique and never null.

    Args:
        reader: To the file, from `open_as_reader`.
        filled: The tables that it must hold, with their row counts in the warehouse.

    Raises:
        PublishError: Something is not so; the message says what.
        duckdb.Error: A view in it does not work.
    """

    def problems(each: Filled) -> list[str]:
        with reader.cursor() as cursor:
            return _problems(cursor, each)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for each, found in zip(filled, pool.map(problems, filled), strict=True):
            for problem in found:
                name = each.model.name
                raise PublishError(f"{name} is not fit to be published: {problem} The old file stands as it was.")


def _problems(connection: duckdb.DuckDBPyConnection, each: Filled) -> list[str]:
    """Say what is wrong with a table."""
    model = each.model
    nulls = " or ".join(f'"{column}" is null' for column in model.key)
    ((found, without),) = connection.execute(f"select count(*), count(*) filter ({nulls}) from {model.name}").fetchall()
    if found != each.row_count:
        return [f"it has {found} rows in the new file and {each.row_count} in the warehouse."]
    if without:
        return [f"{without} rows have no {', '.join(model.key)}."]
    keys = ", ".join(f'"{column}"' for column in model.key)
    twice = connection.execute(
        f"select {keys} from {model.name} group by {keys} having count(*) > 1 order by all limit 3"
    ).fetchall()
    if twice:
        named = "; ".join(", ".join(str(part) for part in row) for row in twice)
        mend = "Drop it from the warehouse (if it is a view, the tables that it reads) and run again to make it whole."
        return [f"the key {', '.join(model.key)} is not unique, for instance {named}. {mend}"]
    return []
