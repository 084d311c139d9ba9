"""What the vendor sends, read into Arrow: the API's answers and the webhook's bundles.

Any envelope that the vendor was seen to use is taken: a bare list, one bare object, `{count, rows}`; for the webhook
a bundle of three lists or one flat record. A thing among the records that is no record becomes a `Reject` with its
place, its reason and its raw text, and the others still come. A body that is no answer at all is an error, never an
empty page. What a value means is not decided here; see `verbatim` for how it is kept.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec
import numpy as np
import pyarrow as pa
from msgspec import UNSET, Raw, UnsetType

from progress_pipeline.errors import UnreadableAnswerError
from progress_pipeline.vendor.items import cut_list
from progress_pipeline.vendor.quick import quick_columns, quick_rows, whole_numbers
from progress_pipeline.vendor.verbatim import (
    FIELDS,
    NoRecordError,
    Row,
    careful_row,
    mend_halves,
    refuse_double_keys,
)

__all__ = ["FIELDS", "RECORD_SCHEMA", "UPDATE_SCHEMA", "Bundle", "Page", "Reject", "read_bundle", "read_page"]

_TEXTS = [pa.field(column, pa.string()) for _, column in FIELDS] + [pa.field("extra", pa.string())]
RECORD_SCHEMA = pa.schema([*_TEXTS, pa.field("position", pa.int64())])
"""Twelve texts, `extra`, and the record's place in the body, from 0."""

UPDATE_SCHEMA = RECORD_SCHEMA.append(pa.field("kind", pa.string()))
"""A record of the webhook, with its kind: started, progressed or completion."""

KINDS = (("started", "started"), ("progressed", "progressed"), ("completions", "completion"))
EXCERPT_LENGTH = 120
_TOKEN_KEY = frozenset({"token"})
_TOKEN_VALUE = re.compile(r'("token"\s*:\s*)("(?:[^"\\]|\\.)*"?|[^\s,}]*)', re.IGNORECASE)


@dataclass(frozen=True)
class Reject:
    """A thing that could not be read as a record.

    Attributes:
        position: Its place among the records of the body, from 0; None where it has none.
        reason: Why it is no record.
        raw_text: What was sent; bytes that are no UTF-8 stand as escapes.
    """

    position: int | None
    reason: str
    raw_text: str


@dataclass(frozen=True)
class Page:
    """What one call brought.

    Attributes:
        records: The records, by `RECORD_SCHEMA`.
        rejects: What was no record.
        count: The vendor's own `count`, where it gave one.
        envelope: array, object or rows.
    """

    records: pa.Table
    rejects: tuple[Reject, ...]
    count: int | None
    envelope: str

    @cached_property
    def transaction_ids(self) -> list[str]:
        """The records' transactions, in order."""
        ids: list[str] = self.records["transaction_id"].to_pylist()
        return ids

    @property
    def size(self) -> int:
        """Things in the answer, rejects included: what a `count` counts and an offset steps over."""
        return int(self.records.num_rows) + len(self.rejects)


@dataclass(frozen=True)
class Bundle:
    """What one delivery brought.

    Attributes:
        updates: The updates, by `UPDATE_SCHEMA`; positions count over the whole delivery.
        rejects: What was no record.
    """

    updates: pa.Table
    rejects: tuple[Reject, ...]


class _Envelope(msgspec.Struct):
    rows: Raw | UnsetType = UNSET
    count: Raw | UnsetType = UNSET
    transaction_id: Raw | UnsetType = msgspec.field(default=UNSET, name="transactionId")


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_ITEMS = msgspec.json.Decoder(list[Raw])
_OBJECT = msgspec.json.Decoder(dict[str, Raw])


def read_page(body: bytes) -> Page:
    """Read an answer of the API.

    `{}` and `null` are empty pages (how some servers write "nothing"); nobody takes an empty page for a proof.

    Raises:
        UnreadableAnswerError: The body is no answer: it is empty, is not JSON, stops in the middle, or is an object
        that is
            neither a record nor has `rows`.
    """
    body = _clean(body)
    try:
        if body.startswith(b"["):
            return _read_list(body, None, "array")
        if len(body) <= len(b"null") and body in {b"null", b"{}"}:
            return _page(([], [], []), None, "object")
        quick = quick_rows(body)
        if quick is not None:
            return _plain_page(*quick, "rows")
        envelope = _ENVELOPE.decode(body)
        if isinstance(envelope.rows, Raw):
            return _read_list(_as_list(bytes(envelope.rows)), _whole(envelope.count), "rows")
        if isinstance(envelope.transaction_id, Raw):
            return _page(_careful_rows([body]), None, "object")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        cut = cut_list(body)
        if cut is None:
            raise UnreadableAnswerError(f"The answer is not whole JSON ({error}): {excerpt(body)}") from error
        items, count = cut
        return _page(_careful_rows(items), int(count) if count else None, "array" if body.startswith(b"[") else "rows")
    raise UnreadableAnswerError(f"The answer is an object that is neither a record nor has `rows`: {excerpt(body)}")


def _clean(body: bytes) -> bytes:
    body = body.removeprefix(b"\xef\xbb\xbf").strip()
    has_halves = b"\\" in body and (b"\\ud" in body or b"\\uD" in body)
    return mend_halves(body) if has_halves else body


def _whole(value: Raw | UnsetType) -> int | None:
    """Read `count`; anything but a whole number, as a number or as text, is no count."""
    text = b"" if isinstance(value, UnsetType) else bytes(value).strip(b'"')
    return int(text) if text.isdigit() else None


def _as_list(rows: bytes) -> bytes:
    if rows == b"null":
        return b"[]"
    return b"[" + rows + b"]" if rows.startswith(b"{") else rows


def _read_list(listed: bytes, count: int | None, envelope: str) -> Page:
    columns = quick_columns(listed)
    if columns is None:
        return _page(_careful_rows([bytes(item) for item in _ITEMS.decode(listed)]), count, envelope)
    return _plain_page(columns, count, envelope)


def _plain_page(columns: list[pa.Array], count: int | None, envelope: str) -> Page:
    positions = whole_numbers(np.arange(len(columns[0])))
    return Page(pa.Table.from_arrays([*columns, positions], schema=RECORD_SCHEMA), (), count, envelope)


def _careful_rows(
    items: Iterable[bytes], *, first_position: int = 0, drop: frozenset[str] = frozenset()
) -> tuple[list[Row], list[int], list[Reject]]:
    rows: list[Row] = []
    positions: list[int] = []
    rejects: list[Reject] = []
    for position, item in enumerate(items, first_position):
        try:
            rows.append(careful_row(item, drop=drop))
            positions.append(position)
        except NoRecordError as error:
            rejects.append(Reject(position, str(error), _raw_text(item, hide_token=bool(drop))))
    return rows, positions, rejects


def _page(read: tuple[list[Row], list[int], list[Reject]], count: int | None, envelope: str) -> Page:
    rows, positions, rejects = read
    return Page(_table(rows, positions), tuple(rejects), count, envelope)


def _table(rows: Sequence[Row], positions: Sequence[int]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(_TEXTS)
    arrays = [pa.array(column, pa.string()) for column in columns]
    return pa.Table.from_arrays([*arrays, pa.array(positions, pa.int64())], schema=RECORD_SCHEMA)


def read_bundle(body: bytes) -> Bundle:
    """Read a delivery of the webhook.

    A flat record, as sent in 2017, is taken too: it is a completion if dateCompleted is set, started if its progress
    is 0, else progressed; so is a bare list of such. A `token` is dropped unread.

    Raises:
        UnreadableAnswerError: The body is no delivery, or says two things under one key.
    """
    body = _clean(body)
    try:
        if body.startswith(b"["):
            return _flat([bytes(item) for item in _ITEMS.decode(body)])
        parts = _OBJECT.decode(body)
        if "transactionId" not in parts:
            refuse_double_keys(body, parts)
    except NoRecordError as error:
        raise UnreadableAnswerError(f"The delivery cannot be understood, since {error}: {excerpt(body)}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableAnswerError(f"The delivery is not whole JSON ({error}): {excerpt(body)}") from error
    if "transactionId" in parts:
        return _flat([body])
    if not any(key in parts for key, _ in KINDS):
        raise UnreadableAnswerError(f"The delivery is neither a bundle nor a record: {excerpt(body)}")
    return _bundle({key: bytes(value) for key, value in parts.items() if key != "token"})


def _flat(items: list[bytes]) -> Bundle:
    rows, positions, rejects = _careful_rows(items, drop=_TOKEN_KEY)
    kinds = [_kind(row) for row in rows]
    return Bundle(_table(rows, positions).append_column("kind", pa.array(kinds, pa.string())), tuple(rejects))


def _kind(row: Row) -> str:
    date_completed, progress = row[10], row[9]
    if date_completed and date_completed.strip():
        return "completion"
    return "started" if progress is not None and re.fullmatch(r"\s*0+(\.0*)?\s*", progress) else "progressed"


def _bundle(parts: dict[str, bytes]) -> Bundle:
    rows: list[Row] = []
    positions: list[int] = []
    kinds: list[str] = []
    rejects: list[Reject] = []
    at = 0
    for key, kind in KINDS:
        part = _as_list(parts.pop(key, b"null"))
        if not part.startswith(b"["):
            rejects.append(Reject(None, f"{key} is not a list", _raw_text(part, hide_token=True)))
            continue
        items = [bytes(item) for item in _ITEMS.decode(part)]
        some_rows, some_positions, some_rejects = _careful_rows(items, first_position=at, drop=_TOKEN_KEY)
        rows += some_rows
        positions += some_positions
        rejects += some_rejects
        kinds += [kind] * len(some_rows)
        at += len(items)
    for key, value in parts.items():
        rejects.append(Reject(None, f"a bundle has no part {key!r}", _raw_text(value, hide_token=True)))
    return Bundle(_table(rows, positions).append_column("kind", pa.array(kinds, pa.string())), tuple(rejects))


def _raw_text(body: bytes, *, hide_token: bool) -> str:
    text = body.decode(errors="backslashreplace")
    return _TOKEN_VALUE.sub(r'\1"…"', text) if hide_token else text


def excerpt(body: bytes) -> str:
    """Give a body's first characters for a message, with the value of any `token` left out."""
    text = _raw_text(body[: 4 * EXCERPT_LENGTH], hide_token=True)
    text = " ".join(text.split())
    return repr(text[:EXCERPT_LENGTH] + "…" if len(text) > EXCERPT_LENGTH else text)
