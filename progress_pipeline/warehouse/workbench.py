"""What the refreshes of one build share: the connection, what stands, and what was found already.

Everything lies in temporary tables whose names begin with `TEMPORARY`; the build drops them in the end. Nothing here
decides anything.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import duckdb

from progress_pipeline.warehouse.graph import Graph
from progress_pipeline.warehouse.standing import Columns

TEMPORARY = "of_the_build__"
"""What the names of a build's temporary tables begin with."""

Question: TypeAlias = tuple[str, tuple[str, ...], tuple[tuple[str, str, int], ...]]
"""An upstream, the columns of a key, and the changes of the stored tables behind the upstream."""


@dataclass(frozen=True)
class Keys:
    """A temporary table of keys, each once.

    Attributes:
        table: Its name.
        columns: The key's columns.
        nullable: Those of them that hold a null.
        count: How many keys there are.
    """

    table: str
    columns: tuple[str, ...]
    nullable: frozenset[str]
    count: int

    def join(self, kind: str, rows: str) -> str:
        """Give the join of rows with these keys: `semi` keeps the rows of the keys, `anti` the others."""
        tests = (
            f'{rows}."{column}" {"is not distinct from" if column in self.nullable else "="} keys."{column}"'
            for column in self.columns
        )
        return f"{kind} join temp.{self.table} as keys on {' and '.join(tests)}"


@dataclass(frozen=True)
class Directory:
    """Through which model the rows of a table are found, as it stands.

    Attributes:
        model: The model.
        column: What both have beside the key.
        changes: The temporary table of the rows that the one which is read lost and gained since the other was made of
            it; empty if there are none.
        is_read: Whether the table is made of the model; else the model is made of the table.
    """

    model: str
    column: str
    changes: str
    is_read: bool


class Workbench:
    """What the refreshes of one build share.

    Attributes:
        graph: All models.
        directory: Gives through which model the rows of a table are found, if they are.
        columns: The columns of every table and view, as they stand.
        answers: Which keys the changed rows of an upstream have, by the question.
        rows: All rows that a table has of some keys, by table and the key's columns: the keys, and those rows' table.
        old_rows: The same, as a model stands that is not built yet, with their places in it.
        row_counts: Of the temporary tables, by name.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        graph: Graph,
        columns: Mapping[str, Columns],
        directory: Callable[[str], Directory | None],
    ) -> None:
        self._connection = connection
        self.graph = graph
        self.directory = directory
        self.columns = columns
        self.answers: dict[Question, str] = {}
        self.rows: dict[tuple[str, tuple[str, ...]], tuple[Keys, str]] = {}
        self.old_rows: dict[tuple[str, tuple[str, ...]], tuple[Keys, str]] = {}
        self.row_counts: dict[str, int] = {}

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The connection, inside the build's transaction."""
        return self._connection

    def new_table(self, sql: str) -> str:
        """Keep the rows of a SELECT in a temporary table; gives its name."""
        name = f"{TEMPORARY}{len(self.row_counts) + 1}"
        ((count,),) = self._connection.execute(f"create temp table {name} as\n{sql}").fetchall()
        self.row_counts[name] = int(count)
        return name

    def drop_tables(self) -> None:
        """Drop the temporary tables."""
        for name in self.row_counts:
            self.execute(f"drop table temp.{name}")
        self.row_counts.clear()

    def execute(self, sql: str) -> None:
        """Execute something for what it does."""
        self._connection.execute(sql)

    def count(self, rows: str) -> int:
        """Count the rows of a table, with its conditions."""
        return int(self._connection.execute(f"select count(*) from {rows}").fetchall()[0][0])

    def has_rows(self, sql: str) -> bool:
        """Say whether a SELECT gives any row."""
        return bool(self._connection.execute(f"{sql} limit 1").fetchall())

    def keys(self, sql: str, columns: tuple[str, ...]) -> Keys:
        """Keep the distinct keys of a SELECT."""
        names = quoted(columns)
        table = self.new_table(f"select distinct {names} from ({sql})")
        nulls = ", ".join(f'count(*) filter (where "{column}" is null)' for column in columns)
        ((count, *empty),) = self._connection.execute(f"select count(*), {nulls} from {table}").fetchall()
        nullable = frozenset(column for column, number in zip(columns, empty, strict=True) if number)
        return Keys(table, columns, nullable, count)

    def within(self, keys: Keys, others: Keys) -> bool:
        """Say whether all keys are among others of the same columns."""
        if keys.columns != others.columns:
            return False
        return keys.table == others.table or not self.has_rows(
            f"from {keys.table} as rows {others.join('anti', 'rows')}"
        )


def quoted(columns: tuple[str, ...]) -> str:
    """Give names as they stand in a list of columns."""
    return ", ".join(f'"{column}"' for column in columns)
