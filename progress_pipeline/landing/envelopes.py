r"""One landed delivery as one line of JSON: how it is written, and how it is read back.

A line holds the delivery's id, when it was received (UTC, to the nanosecond), its content type, byte count and
SHA-256, and the exact body: as JSON text where the body is valid UTF-8, and in base64 otherwise or where escaping
would blow it up. A line never holds a newline other than its last byte, so a torn segment can be cut at line ends.
What the body means is no concern of this module.
"""

import base64
import binascii
import hashlib
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypeAlias

import msgspec

Instant: TypeAlias = datetime | int | float | None

_BLOW_UP = 2
"""A body that escaping makes longer than this many times its length is kept in base64 instead."""


class Envelope(msgspec.Struct, omit_defaults=True):
    """One line of a segment, as our receiver writes it."""

    delivery_id: str
    received_at: str
    byte_count: int
    sha256: str
    content_type: str | None = None
    masked_count: int = 0
    body: str | None = None
    body_base64: str | None = None


class ForeignEnvelope(msgspec.Struct, gc=False):
    """One line of a segment, as anybody may have written it: only the body must be there."""

    delivery_id: str | None = None
    received_at: Instant = None
    byte_count: int | None = None
    sha256: str | None = None
    content_type: str | None = None
    body: msgspec.Raw = msgspec.Raw(b"")
    body_base64: str | None = None


class EnvelopeError(ValueError):
    """A line is no envelope, or its body is not what its envelope says. Stays within this room."""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(ForeignEnvelope)
_loose_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_text_decoder = msgspec.json.Decoder(str)


def write_line(
    body: bytes, *, delivery_id: str, received_at: str, content_type: str | None = None, masked_count: int = 0
) -> bytes:
    """Make the line of one delivery, its newline included.

    Args:
        body: The delivery's exact body.
        delivery_id: The receiver's name of the delivery.
        received_at: When it was received: UTC, ISO 8601, nanoseconds, `Z`.
        content_type: The request's content type.
        masked_count: How many times a live token stood in the body and was masked.
    """
    envelope = Envelope(
        delivery_id, received_at, len(body), hashlib.sha256(body).hexdigest(), content_type, masked_count
    )
    try:
        envelope.body = body.decode()
    except UnicodeDecodeError:
        return _write_base64(envelope, body)
    line = _encoder.encode(envelope)
    if len(line) > _BLOW_UP * len(body) + 1024:
        return _write_base64(envelope, body)
    return line + b"\n"


def _write_base64(envelope: Envelope, body: bytes) -> bytes:
    envelope.body = None
    envelope.body_base64 = base64.b64encode(body).decode("ascii")
    return _encoder.encode(envelope) + b"\n"


def read_line(line: bytes) -> tuple[ForeignEnvelope, bytes]:
    """Read one line, and give the envelope with its body's exact bytes.

    A body that stands as a JSON object or array instead of text is taken as it stands, byte for byte.

    Raises:
        EnvelopeError: The line is no JSON object, holds no body, or one that its byte count or SHA-256 belies.
    """
    try:
        envelope = _decoder.decode(line)
    except msgspec.ValidationError:
        envelope = _read_loosely(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EnvelopeError(f"not one JSON object: {error}") from error
    body = _body_of(envelope)
    digest = hashlib.sha256(body).hexdigest()
    if envelope.byte_count is not None and envelope.byte_count != len(body):
        raise EnvelopeError(f"byte_count says {envelope.byte_count}, but the body has {len(body)}")
    if envelope.sha256 is not None and envelope.sha256.lower() != digest:
        raise EnvelopeError("the body is not the one that sha256 was taken of")
    envelope.byte_count = len(body)
    envelope.sha256 = digest
    return envelope, body


def is_envelope(line: bytes) -> bool:
    """Tell whether a line is a whole envelope."""
    try:
        read_line(line)
    except EnvelopeError:
        return False
    return True


def _read_loosely(line: bytes) -> ForeignEnvelope:
    """Read an envelope of which some keys hold what they should not: those count as missing."""
    try:
        parts = _loose_decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EnvelopeError(f"no envelope: {error}") from error
    envelope = ForeignEnvelope()
    for field in msgspec.structs.fields(ForeignEnvelope):
        if field.name in parts:
            with suppress(msgspec.ValidationError):
                setattr(envelope, field.name, msgspec.json.decode(parts[field.name], type=field.type))
    return envelope


def _body_of(envelope: ForeignEnvelope) -> bytes:
    if envelope.body_base64 is not None:
        try:
            return base64.b64decode(envelope.body_base64, validate=True)
        except (binascii.Error, ValueError) as error:
            raise EnvelopeError(f"body_base64 is no base64: {error}") from error
    raw = bytes(envelope.body)
    if raw[:1] == b'"':
        try:
            return _text_decoder.decode(raw).encode()
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise EnvelopeError(f"the body is no text: {error}") from error
    if raw[:1] in (b"{", b"["):
        return raw
    raise EnvelopeError("neither body nor body_base64 holds anything")


def instant_of(value: Instant) -> datetime | None:
    """Give a `received_at` as an aware instant in UTC; a number counts seconds, ms, µs or ns since 1970."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    for unit, least in ((1e9, 1e17), (1e6, 1e14), (1e3, 1e11)):
        if abs(value) >= least:
            value = value / unit
            break
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, ValueError, OSError):
        return None
