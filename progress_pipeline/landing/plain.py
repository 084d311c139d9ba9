"""Many lines of a segment read at once, as our receiver writes them: column by column, no object per delivery kept.

It holds for lines whose envelope says everything and whose body stands as text, and is left at the first doubt; then
`envelopes` takes line by line. Both give the same.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec


class PlainLines(NamedTuple):
    """What some lines hold, each a list in the order of the lines."""

    delivery_ids: list[str]
    received_at: list[datetime]
    content_types: list[str | None]
    bodies: list[bytes]
    sha256: list[str]


class _Envelope(msgspec.Struct, gc=False):
    delivery_id: str
    received_at: datetime
    byte_count: int
    sha256: str
    body: str
    content_type: str | None = None
    body_base64: None = None


_decode = msgspec.json.Decoder(_Envelope).decode


def read_plain(lines: Sequence[bytes]) -> PlainLines | None:
    """Read lines, each without its newline.

    Returns:
        What they hold; None where a line is no envelope, leaves something out, or its body is not what it says.
    """
    try:
        envelopes = list(map(_decode, lines))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    ids, received_at, byte_counts, sha256, texts, content_types = (
        _all(envelopes, name) for name in ("delivery_id", "received_at", "byte_count", "sha256", "body", "content_type")
    )
    bodies = list(map(str.encode, texts))
    if list(map(len, bodies)) != byte_counts or [hashlib.sha256(body).hexdigest() for body in bodies] != sha256:
        return None
    if not all(ids):
        return None
    if any(zone is not UTC for zone in set(_all(received_at, "tzinfo"))):
        return None
    return PlainLines(ids, received_at, content_types, bodies, sha256)


def _all(things: Sequence[Any], name: str) -> list[Any]:
    return list(map(attrgetter(name), things))
