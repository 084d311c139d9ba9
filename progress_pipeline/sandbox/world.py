"""The world: all updates that ever happen, in the order of happening, as columns.

One row is one update, or a thing that is no record (`kind` -1). What the vendor shows and tells of it, and when, is
decided elsewhere. `happenings` and `given` say what happens; this module gives it its places and columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from progress_pipeline.sandbox.chance import Whole
from progress_pipeline.sandbox.config import WorldSwitches

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


@dataclass(slots=True)
class Happening:
    """One update as it is made, before it has a place. A thing that is no record has no registration (-1)."""

    at: int
    registration: int
    kind: int
    progress: float = 0.0
    completed_at: int | None = None
    code: str | None = None
    transaction_id: int | None = None


@dataclass(frozen=True, slots=True)
class Registration:
    """What is the same in all updates of one registration."""

    learner: int
    first_name: str | None
    last_name: str | None
    email: str | None
    member_identifier: str | None
    activity_id: str | None
    activity_title: str | None
    registration_id: str | None
    started_at: int | None


NO_REGISTRATION = Registration(-1, None, None, None, None, None, None, None, None)


@dataclass
class World:
    """All updates, ascending by instant. Names alone can change, when a learner is renamed.

    Attributes:
        table: The twelve fields of each row.
        at: When each happened, in microseconds since 1970.
        kind: 0 started, 1 progressed, 2 completion, -1 no record.
        registration: The number of each row's registration, from 0; -1 for what is no record.
        learner: The number of each row's learner, the same way.
        clock_at: What the clock says at first, unless a switch says otherwise.
    """

    table: pa.Table
    at: Whole
    kind: NDArray[np.int8]
    registration: Whole
    learner: Whole
    clock_at: int

    def __len__(self) -> int:
        return len(self.at)

    @property
    def transaction_ids(self) -> Whole:
        """Each row's transaction; 0 for what is no record."""
        ids: Whole = self.table["transactionId"].fill_null(0).to_numpy()
        return ids

    def rename(self, learner: int, last_name: str) -> Whole:
        """Give a learner another last name in all rows, as a report joined with today's users would. Gives the rows."""
        rows: Whole = np.flatnonzero(self.learner == learner)
        names = self.table["lastName"].to_pylist()
        for row in rows:
            names[row] = last_name
        place = SCHEMA.get_field_index("lastName")
        self.table = self.table.set_column(place, SCHEMA.field(place), pa.array(names, pa.string()))
        return rows


def number_transactions(happenings: list[Happening], switches: WorldSwitches) -> None:
    """Order the updates and number their transactions, each update or each registration; given numbers are kept."""
    happenings.sort(key=lambda one: (one.at, one.registration, one.kind, one.progress))
    in_place: dict[int, int] = {}
    number = switches.first_transaction_id
    for one in happenings:
        if one.kind == JUNK or one.transaction_id is not None:
            continue
        if switches.transactions == "in_place":
            one.transaction_id = in_place.setdefault(one.registration, number)
            number += one.transaction_id == number
        else:
            one.transaction_id = number
            number += 1


def assemble(happenings: list[Happening], registrations: Sequence[Registration], clock_at: int) -> World:
    """Make a world of numbered updates.

    Args:
        happenings: The updates, in order.
        registrations: What each `Happening.registration` counts.
        clock_at: What the clock says at first.
    """
    of = [registrations[one.registration] if one.registration >= 0 else NO_REGISTRATION for one in happenings]
    columns: list[Sequence[object]] = [
        [one.transaction_id for one in happenings],
        [one.first_name for one in of],
        [one.last_name for one in of],
        [one.email for one in of],
        [one.member_identifier for one in of],
        [one.activity_id for one in of],
        [one.activity_title for one in of],
        [one.registration_id for one in of],
        [one.started_at for one in of],
        [one.progress for one in happenings],
        [one.completed_at for one in happenings],
        [one.code for one in happenings],
    ]
    arrays = [pa.array(values, column.type) for values, column in zip(columns, SCHEMA, strict=True)]
    return World(
        pa.Table.from_arrays(arrays, schema=SCHEMA),
        np.array([one.at for one in happenings], dtype=np.int64),
        np.array([one.kind for one in happenings], dtype=np.int8),
        np.array([one.registration for one in happenings], dtype=np.int64),
        np.array([one.learner for one in of], dtype=np.int64),
        clock_at,
    )
