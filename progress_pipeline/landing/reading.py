"""Reads found files, delivery by delivery.

Everything is taken: a body as one of `Deliveries` whatever is in it (the loader judges), and what cannot be taken as
an `Unreadable` that says why. Only what is not any more what was found is not taken at all: its identity would stand
for content that nobody has read.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple, TypeAlias

import msgspec

from progress_pipeline.landing import envelopes, layout, plain, stillness
from progress_pipeline.landing.finding import LARGEST_BODY, LandedFile
from progress_pipeline.landing.lines import LARGEST_LINE, Line, split_blocks

ALONE = 8
"""So few lines are read one by one, if there is a doubt about one of them."""

RAW_TEXT_LENGTH = 100_000
"""Characters of raw text that an `Unreadable` shows; the file keeps the rest."""


class LandedDelivery(msgspec.Struct, frozen=True, gc=False):
    """One delivery, with its exact body; `line` counts from 1 and is None for a file that is one body."""

    delivery_id: str
    received_at: datetime
    file: str
    line: int | None
    content_type: str | None
    body: bytes
    byte_count: int
    sha256: str


class Deliveries(NamedTuple):
    """Some deliveries of one file, each column a sequence; what each means is told by `LandedDelivery`."""

    file: str
    delivery_ids: Sequence[str]
    received_at: Sequence[datetime]
    lines: Sequence[int | None]
    content_types: Sequence[str | None]
    bodies: Sequence[bytes]
    sha256: Sequence[str]

    def each(self) -> Iterator[LandedDelivery]:
        """Give them one by one."""
        columns = (self.delivery_ids, self.received_at, self.lines, self.content_types, self.bodies, self.sha256)
        for delivery_id, received_at, line, content_type, body, sha256 in zip(*columns, strict=True):
            yield LandedDelivery(delivery_id, received_at, self.file, line, content_type, body, len(body), sha256)


class LandedRefusal(msgspec.Struct, frozen=True):
    """Requests that the receiver refused: one, or a span of equal ones."""

    refusal_id: str
    refused_at: datetime
    client: str | None = None
    http_status: int | None = None
    reason: str | None = None
    until_at: datetime | None = None
    refusal_count: int = 1


class Unreadable(msgspec.Struct, frozen=True):
    """A file or a line that holds no delivery, why, and its raw text."""

    file: str
    line: int | None
    reason: str
    raw_text: str


class ChangedError(Exception):
    """A file is gone, was changed since it was found, or cannot be read any more: it is the next run's."""


Found: TypeAlias = Deliveries | LandedRefusal | Unreadable

_refusal_decoder = msgspec.json.Decoder(LandedRefusal)


def read_file(
    landing: Path, file: LandedFile, *, now: datetime
) -> Iterator[LandedDelivery | LandedRefusal | Unreadable]:
    """Read a file as it stands now, delivery by delivery; one that is gone is an `Unreadable`. See `read_batches`."""
    try:
        for found in _read_batches(landing, file, now, as_found=False):
            if isinstance(found, Deliveries):
                yield from found.each()
            else:
                yield found
    except ChangedError as error:
        yield Unreadable(file.file, None, str(error), "")


def read_batches(landing: Path, file: LandedFile, *, now: datetime) -> Iterator[Found]:
    """Read a found file, from first to last; memory holds a block of lines, or one delivery, at a time.

    Args:
        landing: The landing folder.
        file: What `find_files` gave.
        now: The instant that a body without an envelope cannot have been received after.

    Raises:
        ChangedError: It is not any more what was found. Nothing of it was given.
    """
    return _read_batches(landing, file, now, as_found=True)


def _read_batches(landing: Path, file: LandedFile, now: datetime, *, as_found: bool) -> Iterator[Found]:
    if file.problem is not None:
        yield Unreadable(file.file, None, file.problem, "")
        return
    is_begun = False
    try:
        with stillness.open_still(landing / (file.path or file.file)) as stream:
            if as_found:
                _require_unchanged(stream, file)
            modified = _bounded_instant(os.fstat(stream.fileno()).st_mtime, now)
            if file.kind == layout.BODY:
                body = _read_body(stream, file, modified)
                if as_found:
                    _require_unchanged(stream, file)
                yield body
            else:
                for found in _read_lines(stream, file, modified):
                    is_begun = True
                    yield found
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
        if not is_begun:
            raise ChangedError(reason) from error
        yield Unreadable(file.file, None, reason, "")


def _require_unchanged(stream: BufferedReader, file: LandedFile) -> None:
    """See to it that a file is still the one that was found."""
    status = os.fstat(stream.fileno())
    if (status.st_size, status.st_ctime_ns) != (file.byte_count, file.modified_ns):
        raise ChangedError("was changed since it was found")


def _read_body(stream: BufferedReader, file: LandedFile, modified: datetime) -> Deliveries:
    body = stream.read(LARGEST_BODY)
    digest = hashlib.sha256(body).hexdigest()
    name = f"file-{file.file_id[:32]}"
    return Deliveries(file.file, [name], [modified], [None], [None], [body], [digest])


def _read_lines(stream: BufferedReader, file: LandedFile, default: datetime) -> Iterator[Found]:
    for some in split_blocks(stream):
        if not isinstance(some, Line):
            yield from _read_block(file, some.number, some.content, default)
        elif some.is_too_long:
            reason = f"is longer than the {LARGEST_LINE} bytes that one line may have"
            yield Unreadable(file.file, some.number, reason, _raw_text(some.content))
        else:
            yield from _read_line(file, some.number, some.content, default)


def _read_block(file: LandedFile, number: int, content: bytes, default: datetime) -> Iterator[Found]:
    """Read lines together; where that leaves a doubt, they are halved until the doubtful are found."""
    read = plain.read_plain(content) if file.kind != layout.JOURNAL else None
    if read is not None:
        numbers = range(number, number + len(read.bodies))
        yield Deliveries(file.file, read.delivery_ids, read.received_at, numbers, *read[2:])
    elif file.kind == layout.JOURNAL or content.count(b"\n") <= ALONE:
        for place, line in enumerate(content.split(b"\n")[:-1], number):
            yield from _read_line(file, place, line, default)
    else:
        middle = len(content) // 2
        cut = content.rfind(b"\n", 0, middle) + 1 or content.find(b"\n", middle) + 1
        yield from _read_block(file, number, content[:cut], default)
        yield from _read_block(file, number + content.count(b"\n", 0, cut), content[cut:], default)


def _read_line(file: LandedFile, number: int, content: bytes, default: datetime) -> Iterator[Found]:
    if not content.strip():
        return
    if file.kind == layout.JOURNAL:
        yield _read_refusal(file, number, content)
    else:
        yield _read_delivery(file, number, content, default)


def _read_delivery(file: LandedFile, number: int, content: bytes, default: datetime) -> Deliveries | Unreadable:
    try:
        envelope, body = envelopes.read_line(content)
    except envelopes.EnvelopeError as error:
        return Unreadable(file.file, number, str(error), _raw_text(content))
    assert envelope.sha256 is not None  # noqa: S101 (reading a line fills it)
    name = envelope.delivery_id or f"line-{_line_id(file, number)}"
    received_at = envelopes.instant_of(envelope.received_at) or default
    return Deliveries(file.file, [name], [received_at], [number], [envelope.content_type], [body], [envelope.sha256])


def _read_refusal(file: LandedFile, number: int, content: bytes) -> LandedRefusal | Unreadable:
    try:
        return _refusal_decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Unreadable(file.file, number, f"no refusal: {error}", _raw_text(content))


def is_refusal(content: bytes) -> bool:
    """Tell whether a line of a journal is whole."""
    try:
        _refusal_decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def _line_id(file: LandedFile, number: int) -> str:
    return hashlib.sha256(f"{file.file_id} {number}".encode()).hexdigest()[:32]


def _raw_text(content: bytes) -> str:
    return content[:RAW_TEXT_LENGTH].decode("utf-8", "backslashreplace")


def _bounded_instant(modified: float, now: datetime) -> datetime:
    """Give a modification time, but none after now; one that no calendar holds is taken as now."""
    try:
        return min(datetime.fromtimestamp(modified, now.tzinfo), now)
    except (OverflowError, ValueError, OSError):
        return now
