"""The quick way from a list of plain records to Arrow: column by column, a page at a time, no row in between.

It holds for records that have known keys and plain values alone, and is left at the first doubt; then `verbatim` takes
record by record. Both give the same columns and the same hashes.
"""

import re
from collections.abc import Sequence
from hashlib import blake2b
from itertools import groupby
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import UNSET, Raw, UnsetType

from progress_pipeline.vendor.verbatim import HASH_BYTES, KEYS, NUMBERS, hashes

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
_GETTERS = tuple(attrgetter(key) for key in KEYS)
QUOTE, BACKSLASH, BLANK = b'"\\ '
_ODD = re.compile(rb"[{\[tfT \t\r\\]")


def quick_columns(body: bytes) -> list[pa.Array] | None:
    """Read a JSON list of plain records at once.

    Returns:
        The twelve texts, `extra` and the hash, each a column; None where a record needs the careful way.
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
    key_count, text_count = keys_around, 0
    columns: list[pa.Array] = []
    for key, getter in zip(KEYS, _GETTERS, strict=True):
        values: list[Any] = list(map(getter, records))
        is_raw = key in NUMBERS
        column = _numbers(values) if is_raw else _texts(values)
        unset_count = 0
        if column is None:
            unset_count = sum(value is UNSET for value in values)
            values = [None if value is UNSET else value for value in values]
            if is_raw:
                values = [b"null" if value is None else value for value in values]
            column = _numbers(values) if is_raw else _texts(values)
            if column is None:
                return None
        text_count += b"".join(values).count(b'"') // 2 if is_raw else len(column) - column.null_count
        key_count += len(values) - unset_count
        columns.append(column)
    # A struct holds the last of two equal keys. There were none if the body has as many quotes as the keys and
    # texts take, two each.
    if _count_quotes(body) != 2 * (key_count + text_count) or not _have_names(columns[0]):
        return None
    has_escapes = b"\\" in body and any(map(_has_escapes, columns))
    hashed = _hashes_by_row(columns) if has_escapes else _hashes_of_plain(columns)
    return [*columns, pa.nulls(len(records), pa.string()), hashed]


def _count_quotes(body: bytes) -> int:
    """Count the quotes that begin or end a text, less those that stand escaped in one."""
    if b"\\" not in body:
        return int(np.count_nonzero(np.frombuffer(body, np.uint8) == QUOTE))
    rest = body.replace(b"\\\\", b"")
    return rest.count(b'"') - rest.count(b'\\"')


def _texts(values: Sequence[Any]) -> pa.Array | None:
    try:
        return pa.array(values, pa.string())
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return None


def _numbers(values: Sequence[Any]) -> pa.Array | None:
    """Give numbers and short texts as they stand in the body, or None if one needs the careful way."""
    try:
        joined = b"\n".join(values)
    except TypeError:
        return None
    if not values:
        return pa.array([], pa.string())
    if joined.count(b"\n") != len(values) - 1 or _ODD.search(joined):
        return None
    pieces = pc.split_pattern(pa.scalar(joined.decode()), "\n").values
    if b"null" in joined:
        pieces = pc.if_else(pc.equal(pieces, "null"), None, pieces)
    return pc.utf8_trim(pieces, '"') if b'"' in joined else pieces


def _have_names(column: pa.Array) -> bool:
    return column.null_count == 0 and not pc.any(pc.equal(column, "")).as_py()


def _has_escapes(column: pa.Array) -> bool:
    """Whether JSON would escape something in a text."""
    _, begins, texts = column.buffers()
    if not len(column) or texts is None:
        return False
    places = np.frombuffer(begins, np.int32)[column.offset : column.offset + len(column) + 1]
    letters = np.frombuffer(texts, np.uint8)[places[0] : places[-1]]
    return bool(np.any((letters < BLANK) | (letters == QUOTE) | (letters == BACKSLASH)))


def _hashes_of_plain(columns: Sequence[pa.Array]) -> pa.Array:
    """Give the hashes of `verbatim.hashes` for texts that hold nothing that JSON escapes."""
    parts: list[Any] = ["["]
    for has_nulls, run in groupby(columns, key=lambda column: bool(column.null_count)):
        if has_nulls:
            for column in run:
                parts += [pc.binary_join_element_wise('"', column, '"', ""), ","]
        else:
            parts += ['"', pc.binary_join_element_wise(*run, '","'), '",']
    rows = pc.binary_join_element_wise(*parts, "null]", "", null_handling="replace", null_replacement="null")
    texts = rows.cast(pa.binary()).to_pylist()
    digests = b"".join([blake2b(text, digest_size=HASH_BYTES).digest() for text in texts])
    begins = np.arange(len(texts) + 1, dtype=np.int32) * 2 * HASH_BYTES
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(begins), pa.py_buffer(digests.hex().encode()))


def _hashes_by_row(columns: Sequence[pa.Array]) -> pa.Array:
    rows = zip(*(column.to_pylist() for column in columns), strict=True)
    return pa.array(hashes([(*row, None) for row in rows]), pa.string())
