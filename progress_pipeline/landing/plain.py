"""Many lines of a segment read at once, as our receiver writes them: column by column, no object per delivery kept.

It holds for lines whose envelope says everything and whose body stands as text, and is left at the first doubt; then
`envelopes` takes line by line. Both give the same.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec


class PlainLines(NamedTuple):
    """What some lines hold, each a column in the order of the lines."""

    delivery_ids: Sequence[str]
    received_at: Sequence[datetime]
    content_types: Sequence[str | None]
    bodies: Sequence[bytes]
    sha256: Sequence[str]


class _Envelope(msgspec.Struct, gc=False):
    delivery_id: str
    received_at: datetime
    byte_count: int
    sha256: str
    body: str
    content_type: str | None = None
    body_base64: None = None


_decode_lines = msgspec.json.Decoder(_Envelope).decode_lines


def read_plain(content: bytes) -> PlainLines | None:
    """Read whole lines, each with its newline.

    Returns:
        What they hold; None where a line is no envelope, leaves something out, or its body is not what it says.
    """
    try:
        envelopes = _decode_lines(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if not envelopes or not _is_one_a_line(content, len(envelopes)):
        return None
    ids, received_at, byte_counts, sha256, texts, content_types, _ = zip(
        *map(msgspec.structs.astuple, envelopes), strict=True
    )
    bodies = list(map(str.encode, texts))
    if tuple(map(len, bodies)) != byte_counts:
        return None
    if tuple([hashlib.sha256(body).hexdigest() for body in bodies]) != sha256:
        return None
    if not all(ids) or any(instant.tzinfo is not UTC for instant in received_at):
        return None
    return PlainLines(ids, received_at, content_types, bodies, sha256)


def _is_one_a_line(content: bytes, count: int) -> bool:
    """Tell whether so many objects stand in as many lines, one in each.

    To the decoder a newline is a blank like any other. But in JSON none can stand in a text, nor between `}` and `{`
    unless one object ends there and the next begins; so if each line begins and ends with them, it is whole.
    """
    begin = 0
    for _ in range(count):
        end = content.find(b"\n", begin)
        if content[begin : begin + 1] != b"{" or content[end - 1 : end] != b"}":
            return False
        begin = end + 1
    return begin == len(content)
