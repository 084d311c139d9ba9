"""One record as the vendor wrote it: from the bytes of a JSON object to twelve texts and `extra`.

A value stands as it was sent: a string without its quotes and escapes, `null` or a missing key as null, anything else
(number, boolean, list, object) as the very characters of the body. So 9.09 stays 9.09, 100 stays 100 and 1e2 stays 1e2.

This is the careful way, which takes record by record and says of each why it is none; `quick` takes a whole list of
plain records at once and comes to the same. What surrounds the records (envelopes, bundles, broken JSON) is the subject
of `records` and `items`.
"""

import json
import re
from typing import Any, TypeAlias

import msgspec
from msgspec import Raw

FIELDS: tuple[tuple[str, str], ...] = (
    ("transactionId", "transaction_id"),
    ("firstName", "first_name"),
    ("lastName", "last_name"),
    ("email", "email"),
    ("memberIdentifier", "member_identifier"),
    ("activityId", "activity_id"),
    ("activityTitle", "activity_title"),
    ("registration", "registration"),
    ("dateStarted", "date_started"),
    ("progress", "progress"),
    ("dateCompleted", "date_completed"),
    ("completionCode", "completion_code"),
)
"""The twelve fields of the vendor's page, each with its column."""

KEYS = tuple(key for key, _ in FIELDS)
KNOWN = frozenset(KEYS)
NUMBERS = frozenset({"transactionId", "progress"})

Row: TypeAlias = tuple[str | None, ...]
"""The twelve texts, then `extra`."""

_OBJECT = msgspec.json.Decoder(dict[str, Raw])
_ITEMS = msgspec.json.Decoder(list[Raw])
_STRING = msgspec.json.Decoder(str)


_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


class NoRecordError(ValueError):
    """A thing in an answer is no record; the text says why."""


def careful_row(body: bytes, *, drop: frozenset[str] = frozenset()) -> Row:
    """Read one record, whatever its values are.

    Args:
        body: The bytes of one JSON value.
        drop: Keys that are left out unread.

    Raises:
        NoRecordError: It is no record.
    """
    if not body.lstrip().startswith(b"{"):
        raise NoRecordError("not an object")
    try:
        values = _OBJECT.decode(body)
        pieces = {key: bytes(value) for key, value in values.items() if key not in drop}
        refuse_double_keys(body, values)
        texts = [text_of(pieces[key]) if key in pieces else None for key in KEYS]
        unknown = sorted(pieces.keys() - KNOWN)
        extra = "{" + ",".join(_canonical_member(key, pieces[key]) for key in unknown) + "}" if unknown else None
    except UnicodeDecodeError as error:
        raise NoRecordError(f"not UTF-8: {error.reason}") from error
    except (msgspec.MsgspecError, RecursionError) as error:
        raise NoRecordError(f"not JSON: {error}") from error
    _require_transaction(pieces.get("transactionId"), texts[0])
    return (*texts, extra)


def _require_transaction(piece: bytes | None, text: str | None) -> None:
    if text is None or not text.strip():
        raise NoRecordError("no transactionId")
    if piece is not None and not piece.startswith(b'"') and piece[:1] not in b"-0123456789":
        raise NoRecordError("transactionId is neither a number nor a text")


def refuse_double_keys(body: bytes, values: dict[str, Raw]) -> None:
    """Refuse an object that says two things under one key: which of them is meant, nobody knows.

    Raises:
        NoRecordError: It does.
    """
    # Outside the values only keys have quotes, two each, or more where one is escaped.
    inner = sum(bytes(value).count(b'"') for value in values.values())
    if body.count(b'"') - inner == 2 * len(values):
        return
    pairs: list[tuple[str, Any]] = json.loads(
        body, object_pairs_hook=list, parse_int=str, parse_float=str, strict=False
    )
    seen: dict[str, Any] = {}
    for key, value in pairs:
        if seen.setdefault(key, value) != value:
            raise NoRecordError(f"the key {key} stands in it twice, with different values")


def mend_halves(body: bytes) -> bytes:
    r"""Make halves of surrogate pairs readable, as names cut to 100 UTF-16 units end in: `\\ud83d` stays as written."""
    return _ESCAPE.sub(lambda found: b"\\\\" + found[1] if found[1] else found[0], body)


def text_of(piece: bytes) -> str | None:
    """Give a JSON value as text, verbatim.

    Raises:
        UnicodeDecodeError: It is not UTF-8.
    """
    if piece.startswith(b'"'):
        return _STRING.decode(piece) if b"\\" in piece else piece[1:-1].decode()
    return None if piece == b"null" else piece.decode()


def _canonical_member(key: str, piece: bytes) -> str:
    return msgspec.json.encode(key).decode() + ":" + _canonical(piece)


def _canonical(piece: bytes) -> str:
    """Write a JSON value without blanks and with sorted keys; numbers and texts stay as they were sent."""
    first = piece.lstrip()[:1]
    if first == b"{":
        members = sorted((key, bytes(value)) for key, value in _OBJECT.decode(piece).items())
        return "{" + ",".join(_canonical_member(key, value) for key, value in members) + "}"
    if first == b"[":
        return "[" + ",".join(_canonical(bytes(value)) for value in _ITEMS.decode(piece)) + "]"
    text = piece.strip().decode()
    return msgspec.json.encode(_STRING.decode(piece)).decode() if first == b'"' else text
