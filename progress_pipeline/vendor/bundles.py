"""Many deliveries of the webhook read at once, into one Arrow table.

A table of its own for each delivery costs ten times what reading it does. So the records of many plain bundles become
columns together, as `quick` makes them. What leaves any doubt is halved until the doubtful deliveries are found, and
those go the careful way of `records.read_bundle`, each alone. Both ways give the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import UNSET, UnsetType

from progress_pipeline.errors import UnreadableAnswerError
from progress_pipeline.vendor.quick import PlainRecord, columns_of, whole_numbers
from progress_pipeline.vendor.records import KINDS, UPDATE_SCHEMA, Reject, read_bundle

BODY = "body"
"""The column that names an update's delivery by its place among those that were read together."""

_ALONE = 8
"""So few deliveries are read one by one, if there is a doubt about one of them."""

_SCHEMA = UPDATE_SCHEMA.append(pa.field(BODY, pa.int64()))
_PARTS = [key for key, _ in KINDS]
_decode = msgspec.json.Decoder(
    msgspec.defstruct(
        "_Parts",
        [(key, list[PlainRecord] | UnsetType, UNSET) for key in _PARTS],  # type: ignore[valid-type]
        forbid_unknown_fields=True,
        gc=False,
    )
).decode


@dataclass(frozen=True)
class Judged:
    """What is odd about a delivery.

    Attributes:
        rejects: What was no record; of a delivery that cannot be read at all, itself.
        error: Why it cannot be read at all, or None.
    """

    rejects: tuple[Reject, ...] = ()
    error: str | None = None


@dataclass(frozen=True)
class Bundles:
    """What many deliveries brought.

    Attributes:
        updates: Their updates, by `UPDATE_SCHEMA` and `BODY`.
        counts: Updates by delivery and by kind, in the order of `KINDS`.
        odd: A judgement on each delivery that is not plain, by its place.
    """

    updates: pa.Table
    counts: npt.NDArray[np.int64]
    odd: dict[int, Judged] = field(default_factory=dict)


@dataclass(frozen=True)
class _Plain:
    """Deliveries that seem plain: their places, their bodies and what stands in them."""

    places: Sequence[int]
    bodies: Sequence[bytes]
    parts: Sequence[Any]

    def __getitem__(self, some: slice) -> "_Plain":
        return _Plain(self.places[some], self.bodies[some], self.parts[some])


def read_bundles(bodies: Sequence[bytes]) -> Bundles:
    """Read deliveries of the webhook."""
    read = Bundles(_SCHEMA.empty_table(), np.zeros((len(bodies), len(KINDS)), np.int64))
    doubtful: list[int] = []
    parts: list[Any] = []
    for place, body in enumerate(bodies):
        try:
            parts.append(_decode(body))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            doubtful.append(place)
    places: Sequence[int] = range(len(bodies))
    if doubtful:
        odd = set(doubtful)
        places = [place for place in places if place not in odd]
        plain = _Plain(places, [bodies[place] for place in places], parts)
    else:
        plain = _Plain(places, bodies, parts)
    tables = list(_read_plain(plain, read.counts, doubtful))
    for place in doubtful:
        read.odd[place], table = _read_alone(bodies[place], place, read.counts)
        tables.append(table)
    return Bundles(pa.concat_tables([read.updates, *tables]), read.counts, read.odd)


def _read_plain(plain: _Plain, counts: npt.NDArray[np.int64], doubtful: list[int]) -> Iterator[pa.Table]:
    """Read many deliveries at once; one that needs the careful way is added to the doubtful."""
    size = len(plain.places)
    if not size:
        return
    table = _table(plain, counts)
    if table is not None:
        yield table
    elif size <= _ALONE:
        doubtful.extend(plain.places)
    else:
        yield from _read_plain(plain[: size // 2], counts, doubtful)
        yield from _read_plain(plain[size // 2 :], counts, doubtful)


def _table(plain: _Plain, counts: npt.NDArray[np.int64]) -> pa.Table | None:
    """Give the updates of plain deliveries and count them; None if there is a doubt about one of them."""
    by_kind = [list(map(attrgetter(key), plain.parts)) for key in _PARTS]
    part_count = len(KINDS) * len(plain.parts) - sum(lists.count(UNSET) for lists in by_kind)
    if part_count < len(KINDS) * len(plain.parts):
        if any(all(part is UNSET for part in parts) for parts in zip(*by_kind, strict=True)):
            return None
        by_kind = [[() if part is UNSET else part for part in lists] for lists in by_kind]
    records = list(chain.from_iterable(chain.from_iterable(zip(*by_kind, strict=True))))
    columns = columns_of(records, b"\n".join(plain.bodies), keys_around=part_count)
    if columns is None:
        return None
    told = np.array([list(map(len, lists)) for lists in by_kind], np.int64).T
    counts[plain.places] = told
    return pa.Table.from_arrays([*columns, *_places(plain.places, told)], schema=_SCHEMA)


def _places(places: Sequence[int], counts: npt.NDArray[np.int64]) -> list[pa.Array]:
    """Give each record's position in its delivery, its kind, and its delivery's place."""
    sizes = counts.sum(axis=1)
    begins = np.cumsum(sizes) - sizes
    positions = np.arange(sizes.sum()) - np.repeat(begins, sizes)
    kinds = np.repeat(np.tile(np.arange(len(KINDS)), len(counts)), counts.ravel())
    names = pa.array([kind for _, kind in KINDS], pa.string()).take(whole_numbers(kinds))
    return [whole_numbers(positions), names, whole_numbers(np.repeat(np.asarray(places, np.int64), sizes))]


def _read_alone(body: bytes, place: int, counts: npt.NDArray[np.int64]) -> tuple[Judged, pa.Table]:
    try:
        bundle = read_bundle(body)
    except UnreadableAnswerError as unreadable:
        reject = Reject(None, str(unreadable), body.decode("utf-8", "backslashreplace"))
        return Judged((reject,), str(unreadable)), _SCHEMA.empty_table()
    kinds = bundle.updates.column("kind").to_pylist()
    counts[place] = [kinds.count(kind) for _, kind in KINDS]
    places = pa.array([place] * bundle.updates.num_rows, pa.int64())
    return Judged(bundle.rejects), bundle.updates.append_column(_SCHEMA.field(BODY), places)
