"""Many deliveries of the webhook read at once, into one Arrow table.

A table of its own for each delivery costs ten times what reading it does. So the records of many bundles are put into
one list, which `quick` turns into columns. What leaves any doubt is halved until the doubtful deliveries are found, and
those go the careful way of `records.read_bundle`, each alone. Both ways give the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import msgspec
import pyarrow as pa
from msgspec import UNSET, Raw, UnsetType

from progress_pipeline.errors import UnreadableAnswerError
from progress_pipeline.vendor.quick import quick_columns
from progress_pipeline.vendor.records import KINDS, UPDATE_SCHEMA, Reject, read_bundle

BODY = "body"
"""The column that names an update's delivery by its place among those that were read together."""

_ALONE = 8
"""So few deliveries are read one by one, if there is a doubt about one of them."""

_SCHEMA = UPDATE_SCHEMA.append(pa.field(BODY, pa.int64()))
_PARTS = msgspec.json.Decoder(
    msgspec.defstruct(
        "_Parts", [(key, list[Raw] | UnsetType, UNSET) for key, _ in KINDS], forbid_unknown_fields=True, gc=False
    )
)


@dataclass(frozen=True)
class Judged:
    """What one delivery brought.

    Attributes:
        counts: Updates by kind, in the order of `KINDS`.
        rejects: What was no record; of a delivery that cannot be read at all, itself.
        error: Why it cannot be read at all, or None.
    """

    counts: tuple[int, ...]
    rejects: tuple[Reject, ...] = ()
    error: str | None = None


@dataclass(frozen=True)
class Bundles:
    """What many deliveries brought: their updates, by `UPDATE_SCHEMA` and `BODY`, and a judgement on each."""

    updates: pa.Table
    judged: list[Judged]


@dataclass(frozen=True)
class _Plain:
    """A delivery that seems plain: its place, and its records by kind, not read yet."""

    place: int
    parts: tuple[list[Raw], ...]


def read_bundles(bodies: Sequence[bytes]) -> Bundles:
    """Read deliveries of the webhook."""
    judged: list[Judged] = [Judged((0,) * len(KINDS))] * len(bodies)
    plain: list[_Plain] = []
    doubtful: list[int] = []
    for place, body in enumerate(bodies):
        parts = _split(body)
        if parts is None:
            doubtful.append(place)
        else:
            plain.append(_Plain(place, parts))
            judged[place] = Judged(tuple(map(len, parts)))
    tables = list(_read_plain(plain, doubtful))
    for place in doubtful:
        judged[place], table = _read_alone(bodies[place], place)
        tables.append(table)
    return Bundles(pa.concat_tables(tables) if tables else _SCHEMA.empty_table(), judged)


def _split(body: bytes) -> tuple[list[Raw], ...] | None:
    """Split a bundle into its records by kind; None where there is a doubt."""
    try:
        parts = msgspec.structs.astuple(_PARTS.decode(body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    lists = tuple(part or [] for part in parts)
    part_count = len(parts) - parts.count(UNSET)
    # Of two equal keys the decoder keeps the last. There were none if what is outside the records has two quotes for
    # each part.
    quotes_inside = b"".join(chain.from_iterable(lists)).count(b'"')
    return lists if part_count and body.count(b'"') - quotes_inside == 2 * part_count else None


def _read_plain(plain: Sequence[_Plain], doubtful: list[int]) -> Iterator[pa.Table]:
    """Read records of many deliveries at once; a delivery that needs the careful way is added to the doubtful."""
    if not plain:
        return
    records = list(chain.from_iterable(chain.from_iterable(one.parts for one in plain)))
    columns = quick_columns(b"[" + b",".join(records) + b"]")
    if columns is not None:
        yield pa.Table.from_arrays([*columns, *_places(plain)], schema=_SCHEMA)
    elif len(plain) <= _ALONE:
        doubtful.extend(one.place for one in plain)
    else:
        middle = len(plain) // 2
        yield from _read_plain(plain[:middle], doubtful)
        yield from _read_plain(plain[middle:], doubtful)


def _places(plain: Sequence[_Plain]) -> list[pa.Array]:
    """Give each record's position in its delivery, its kind, and its delivery's place."""
    positions: list[int] = []
    kinds: list[str] = []
    places: list[int] = []
    for one in plain:
        count = 0
        for part, (_, kind) in zip(one.parts, KINDS, strict=True):
            count += len(part)
            kinds += [kind] * len(part)
        positions += range(count)
        places += [one.place] * count
    return [pa.array(positions, pa.int64()), pa.array(kinds, pa.string()), pa.array(places, pa.int64())]


def _read_alone(body: bytes, place: int) -> tuple[Judged, pa.Table]:
    try:
        bundle = read_bundle(body)
    except UnreadableAnswerError as unreadable:
        reject = Reject(None, str(unreadable), body.decode("utf-8", "backslashreplace"))
        return Judged((0,) * len(KINDS), (reject,), str(unreadable)), _SCHEMA.empty_table()
    kinds = bundle.updates.column("kind").to_pylist()
    counts = tuple(kinds.count(kind) for _, kind in KINDS)
    places = pa.array([place] * bundle.updates.num_rows, pa.int64())
    return Judged(counts, bundle.rejects), bundle.updates.append_column(_SCHEMA.field(BODY), places)
