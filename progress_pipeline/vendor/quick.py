"""The quick way from a list of plain records to Arrow: column by column, a page at a time, no row in between.

It holds for records that have known keys and plain values alone, and is left at the first doubt; then `verbatim` takes
record by record. Both give the same columns.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
from msgspec import UNSET, Raw, UnsetType
from msgspec.structs import astuple
from numpy.typing import NDArray

from progress_pipeline.vendor.verbatim import KEYS, NUMBERS

PlainRecord = msgspec.defstruct(
    "PlainRecord",
    [(key, (Raw if key in NUMBERS else str | None) | UnsetType, UNSET) for key in KEYS],
    forbid_unknown_fields=True,
    gc=False,
)


class _Page(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    rows: list[PlainRecord]  # type: ignore[valid-type]
    count: Raw | UnsetType = UNSET


_PAGE = msgspec.json.Decoder(_Page)
_RECORDS: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[PlainRecord])  # type: ignore[valid-type]
_QUOTE = ord('"')
_ODD = b"{[tfT \t\r\\"


class _Column(NamedTuple):
    """One key's values: as Python's texts, as Arrow's, and how many quotes they take in the body."""

    texts: Sequence[str | None]
    array: pa.Array
    quote_count: int


def whole_numbers(numbers: NDArray[np.int64]) -> pa.Array:
    """Give NumPy's numbers as Arrow's; `pa.array` would first import NumPy's masked arrays (0.06 s)."""
    return pa.Array.from_buffers(pa.int64(), len(numbers), [None, pa.py_buffer(np.ascontiguousarray(numbers))])


def quick_columns(body: bytes) -> list[pa.Array] | None:
    """Read a JSON list of plain records at once.

    Returns:
        The twelve texts and `extra`, each a column; None where a record needs the careful way.
    """
    try:
        records = _RECORDS.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return columns_of(records, body, keys_around=0)


def quick_rows(body: bytes) -> tuple[list[pa.Array], int | None] | None:
    """Read `{count, rows}` with plain records at once.

    Returns:
        The columns, as `quick_columns` gives them, and `count`; None where it needs the careful way.
    """
    try:
        page = _PAGE.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    text = None if isinstance(page.count, UnsetType) else bytes(page.count)
    if text is not None and not text.isdigit():
        return None
    columns = columns_of(page.rows, body, keys_around=1 if text is None else 2)
    return None if columns is None else (columns, None if text is None else int(text))


def columns_of(records: list[Any], body: bytes, *, keys_around: int) -> list[pa.Array] | None:
    """Give the columns of a body's records, each a `PlainRecord`; around them stand so many keys, and no text."""
    quote_count = 2 * keys_around
    columns: list[_Column] = []
    cells: list[Any] = list(chain.from_iterable(map(astuple, records)))
    for place, key in enumerate(KEYS):
        values = cells[place :: len(KEYS)]
        read = _numbers if key in NUMBERS else _texts
        column, unset_count = read(values), 0
        if column is None:
            unset_count = sum(value is UNSET for value in values)
            column = read([None if value is UNSET else value for value in values])
        if column is None:
            return None
        quote_count += 2 * (len(values) - unset_count) + column.quote_count
        columns.append(column)
    # A struct holds the last of two equal keys. There were none if the body has as many quotes as the keys and
    # texts take, two each.
    if _count_quotes(body) != quote_count or not all(columns[0].texts):
        return None
    return [*(column.array for column in columns), pa.nulls(len(records), pa.string())]


def _count_quotes(body: bytes) -> int:
    """Count the quotes that begin or end a text, less those that stand escaped in one."""
    if b"\\" not in body:
        return int(np.count_nonzero(np.frombuffer(body, np.uint8) == _QUOTE))
    rest = body.replace(b"\\\\", b"")
    return rest.count(b'"') - rest.count(b'\\"')


def _texts(values: Sequence[str | None]) -> _Column | None:
    """Give texts as they are, or None if a value is missing."""
    try:
        array = pa.array(values, pa.string())
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return None
    return _Column(values, array, 2 * (len(values) - array.null_count))


def _numbers(values: Sequence[Any]) -> _Column | None:
    """Give numbers and short texts as they stand in the body, or None if one needs the careful way, or is missing."""
    try:
        joined = b"\n".join(values)
    except TypeError:
        if UNSET in values:
            return None
        joined = b"\n".join(b"null" if value is None else value for value in values)
    if joined.count(b"\n") != max(len(values) - 1, 0) or len(joined.translate(None, _ODD)) != len(joined):
        return None
    try:
        texts: Sequence[str | None] = joined.decode().split("\n") if values else []
    except UnicodeDecodeError:
        return None
    if b"null" in joined:
        texts = [None if text == "null" else text for text in texts]
    quote_count = joined.count(b'"')
    if quote_count:
        texts = [text and text.strip('"') for text in texts]
    return _Column(texts, pa.array(texts, pa.string()), quote_count)
