"""Finds landed files that are new and whole, and reads them, delivery by delivery.

A file's identity is its path and its content. Size and change time (`st_ctime_ns`, which nobody can set back) only
serve to see quickly that a known file is unchanged; where they differ, the content is hashed and decides. So a file
that appears late with an old time is found, and one that was touched is not loaded twice.

Left for the next run is what is still being written: a file that some process holds open for writing, one that
changes while it is read, and one changed in the last two seconds whose content is cut off. Everything else is taken
now: a body as a `LandedDelivery` whatever is in it (the loader judges), and what cannot be taken as an `Unreadable`
that says why. Symbolic links are not followed: each is an `Unreadable`, as is a file too large for one delivery. Dot
files, dot folders and names of other kinds are not ours.
"""

import hashlib
import os
from collections.abc import Container, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, TypeAlias

import msgspec

from progress_pipeline.landing import envelopes, layout, plain, stillness, walking
from progress_pipeline.landing.lines import LARGEST_LINE, Line, split_blocks

LARGEST_BODY = 64 * 1024 * 1024
"""Bytes of the largest file that is taken as one delivery's body: four times what our receiver accepts."""

ALONE = 8
"""So few lines are read one by one, if there is a doubt about one of them."""

RAW_TEXT_LENGTH = 100_000
"""Characters of raw text that an `Unreadable` shows; the file keeps the rest."""


class LandedFile(msgspec.Struct, frozen=True):
    """A landed file that was not read before.

    Attributes:
        file_id: Its identity: hash of its path and content.
        file: Its path below the landing folder; bytes that are no UTF-8 stand as escapes.
        kind: body, segment or journal.
        byte_count: Its size.
        modified_ns: Its change time in nanoseconds, only to see that it is unchanged.
    """

    file_id: str
    file: str
    kind: str
    byte_count: int
    modified_ns: int
    path: str = ""
    problem: str | None = None


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
    """Some deliveries of one file, each column a list; what each means is told by `LandedDelivery`."""

    file: str
    delivery_ids: list[str]
    received_at: list[datetime]
    lines: Sequence[int | None]
    content_types: list[str | None]
    bodies: list[bytes]
    sha256: list[str]

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


Found: TypeAlias = Deliveries | LandedRefusal | Unreadable

_refusal_decoder = msgspec.json.Decoder(LandedRefusal)


def find_files(
    landing: Path, *, known: Mapping[str, tuple[int, int]], known_ids: Container[str] = frozenset()
) -> Iterator[LandedFile]:
    """Find what is landed and not known, in the order of the paths.

    Args:
        landing: The landing folder; one that does not exist holds nothing.
        known: For each file that was read, its newest `byte_count` and `modified_ns`.
        known_ids: The `file_id` of every file that was ever read, so that content which returns is not read again.
    """
    for sight in walking.walk(landing):
        file = _readable(sight.path)
        if known.get(file) == (sight.status.st_size, sight.status.st_ctime_ns):
            continue
        found = _identify(landing, sight, file)
        if found is not None and found.file_id not in known_ids:
            yield found


def _readable(path: str) -> str:
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _identify(landing: Path, sight: walking.Sight, file: str) -> LandedFile | None:
    """Name a file by its path and content; None if it is left for the next run."""
    kind = layout.kind_of(Path(file).name) or layout.BODY
    status, problem = sight.status, sight.problem
    digest = hashlib.sha256(os.fsencode(sight.path) + b"\0")
    if problem is None and kind == layout.BODY and status.st_size > LARGEST_BODY:
        problem = f"is larger than the {LARGEST_BODY} bytes that one delivery may have"
    if problem is None:
        try:
            content = stillness.hash_if_still(landing / sight.path, kind)
        except FileNotFoundError:
            return None
        except OSError as error:
            problem = f"cannot be opened: {error.strerror}"
        else:
            if content is None:
                return None
            digest.update(content.sha256)
            status = content.status
    if problem is not None:
        digest.update(f"{problem} {status.st_size} {status.st_ctime_ns}".encode())
    return LandedFile(digest.hexdigest(), file, kind, status.st_size, status.st_ctime_ns, sight.path, problem)


def read_file(
    landing: Path, file: LandedFile, *, now: datetime
) -> Iterator[LandedDelivery | LandedRefusal | Unreadable]:
    """Read a found file, delivery by delivery; see `read_batches`."""
    for found in read_batches(landing, file, now=now):
        if isinstance(found, Deliveries):
            yield from found.each()
        else:
            yield found


def read_batches(landing: Path, file: LandedFile, *, now: datetime) -> Iterator[Found]:
    """Read a found file, from first to last; memory holds a block of lines, or one delivery, at a time.

    Args:
        landing: The landing folder.
        file: What `find_files` gave.
        now: The instant that a body without an envelope cannot have been received after.
    """
    if file.problem is not None:
        yield Unreadable(file.file, None, file.problem, "")
        return
    full = landing / (file.path or file.file)
    try:
        if file.kind == layout.BODY:
            yield _read_body(full, file, now)
        else:
            yield from _read_lines(full, file, now)
    except OSError as error:
        yield Unreadable(file.file, None, f"cannot be read: {error.strerror}", "")


def _read_body(full: Path, file: LandedFile, now: datetime) -> Deliveries:
    with stillness.open_still(full) as stream:
        modified = os.fstat(stream.fileno()).st_mtime
        body = stream.read(LARGEST_BODY)
    digest = hashlib.sha256(body).hexdigest()
    name = f"file-{file.file_id[:32]}"
    return Deliveries(file.file, [name], [_bounded_instant(modified, now)], [None], [None], [body], [digest])


def _read_lines(full: Path, file: LandedFile, now: datetime) -> Iterator[Found]:
    with stillness.open_still(full) as stream:
        default = _bounded_instant(os.fstat(stream.fileno()).st_mtime, now)
        for block in split_blocks(stream):
            if not isinstance(block, Line):
                yield from _read_block(file, block.number, block.lines, default)
            elif block.is_too_long:
                reason = f"is longer than the {LARGEST_LINE} bytes that one line may have"
                yield Unreadable(file.file, block.number, reason, _raw_text(block.content))
            else:
                yield from _read_line(file, block.number, block.content, default)


def _read_block(file: LandedFile, number: int, lines: Sequence[bytes], default: datetime) -> Iterator[Found]:
    """Read lines together; where that leaves a doubt, they are halved until the doubtful are found."""
    read = plain.read_plain(lines) if file.kind != layout.JOURNAL else None
    if read is not None:
        ids, received_at, content_types, bodies, sha256 = read
        numbers = range(number, number + len(lines))
        yield Deliveries(file.file, ids, received_at, numbers, content_types, bodies, sha256)
    elif len(lines) <= ALONE or file.kind == layout.JOURNAL:
        for place, content in enumerate(lines, number):
            yield from _read_line(file, place, content, default)
    else:
        middle = len(lines) // 2
        yield from _read_block(file, number, lines[:middle], default)
        yield from _read_block(file, number + middle, lines[middle:], default)


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
