"""The world: all updates that ever happen, in the order of happening, as columns.

One row is one update, or a thing that is no record (`kind` -1). What the vendor shows and tells of it, and when, is
decided elsewhere. `happenings` and `given` say what happens, `making` puts it in order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from progress_pipeline.sandbox.chance import Whole

STARTED, PROGRESSED, COMPLETION, JUNK = 0, 1, 2, -1
KINDS = ("started", "progressed", "completion")

INSTANT = pa.timestamp("us")
SCHEMA = pa.schema(
    [
        ("transactionId", pa.int64()),
        ("firstName", pa.string()),
        ("lastName", pa.string()),
        ("email", pa.string()),
        ("memberIdentifier", pa.string()),
        ("activityId", pa.string()),
        ("activityTitle", pa.string()),
        ("registration", pa.string()),
        ("dateStarted", INSTANT),
        ("progress", pa.float64()),
        ("dateCompleted", INSTANT),
        ("completionCode", pa.string()),
    ]
)
"""The twelve fields of the page, in its order; instants are UTC."""


@dataclass
class World:
    """All updates, in one table and the columns beside it. Once made, names alone change, by `rename_learner`.

    Attributes:
        table: The twelve fields of each row.
        at: When each happened, in microseconds since 1970.
        kind: 0 started, 1 progressed, 2 completion, -1 no record.
        registration: The number of each row's registration, from 0; -1 for what is no record.
        learner: The number of each row's learner, the same way.
        activity: The number of each row's activity, the same way.
    """

    table: pa.Table
    at: Whole
    kind: Whole
    registration: Whole
    learner: Whole
    activity: Whole

    def __len__(self) -> int:
        return len(self.at)

    @property
    def transaction_ids(self) -> Whole:
        """Each row's transaction; 0 where there is none."""
        ids: Whole = self.table["transactionId"].fill_null(0).to_numpy()
        return ids

    def values(self, field: str) -> list[Any]:
        """Give one field of all rows."""
        values: list[Any] = self.table[field].to_pylist()
        return values

    def having(self, field: str, values: Sequence[object] | pa.Array) -> Self:
        """Make a world that differs in one field alone."""
        place = SCHEMA.get_field_index(field)
        column = (
            values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values, SCHEMA.field(place).type)
        )
        return replace(self, table=self.table.set_column(place, SCHEMA.field(place), column))

    def taking(self, rows: Whole) -> Self:
        """Make a world of some rows, in their order."""
        columns = {name: getattr(self, name)[rows] for name in COLUMNS}
        return replace(self, table=self.table.take(rows).combine_chunks(), **columns)

    def with_more(self, other: Self) -> Self:
        """Make a world of these rows and then another's."""
        columns = {name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in COLUMNS}
        return replace(self, table=pa.concat_tables([self.table, other.table]), **columns)

    def rename_learner(self, learner: int, last_name: str) -> Whole:
        """Give a learner another last name in all rows, as a report joined with today's users would. Gives the rows."""
        is_theirs = self.learner == learner
        names = pc.if_else(pa.array(is_theirs), last_name, self.table["lastName"])
        self.table = self.having("lastName", names).table
        rows: Whole = np.flatnonzero(is_theirs)
        return rows

    def neighbours(self) -> tuple[Whole, Whole]:
        """Give the row before and the row after each row in its registration; -1 where there is none."""
        before: Whole = np.full(len(self), -1, dtype=np.int64)
        after: Whole = np.full(len(self), -1, dtype=np.int64)
        by_registration = np.argsort(self.registration, kind="stable")
        first, second = by_registration[:-1], by_registration[1:]
        is_same = (self.registration[first] == self.registration[second]) & (self.registration[first] >= 0)
        before[second[is_same]] = first[is_same]
        after[first[is_same]] = second[is_same]
        return before, after


COLUMNS = ("at", "kind", "registration", "learner", "activity")


def make_columns(values: Iterable[Iterable[int]]) -> dict[str, Whole]:
    """Make the columns beside a table, in the order of `COLUMNS`."""
    return {name: np.array(list(column), dtype=np.int64) for name, column in zip(COLUMNS, values, strict=True)}
