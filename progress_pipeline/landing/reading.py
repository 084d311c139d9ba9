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
from collections.abc import Container, Iterator, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from progress_pipeline.landing import envelopes, layout, stillness, walking
from progress_pipeline.landing.lines import LARGEST_LINE, Line, split_lines

LARGEST_BODY = 64 * 1024 * 1024
"""Bytes of the largest file that is taken as one delivery's body: four times what our receiver accepts."""

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
    """Read a found file, from first to last; memory holds one delivery at a time.

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


def _read_body(full: Path, file: LandedFile, now: datetime) -> LandedDelivery:
    with stillness.open_still(full) as stream:
        modified = os.fstat(stream.fileno()).st_mtime
        body = stream.read(LARGEST_BODY)
    return LandedDelivery(
        f"file-{file.file_id[:32]}",
        _bounded_instant(modified, now),
        file.file,
        None,
        None,
        body,
        len(body),
        hashlib.sha256(body).hexdigest(),
    )


def _read_lines(full: Path, file: LandedFile, now: datetime) -> Iterator[LandedDelivery | LandedRefusal | Unreadable]:
    with stillness.open_still(full) as stream:
        default = _bounded_instant(os.fstat(stream.fileno()).st_mtime, now)
        for line in split_lines(stream):
            if not line.content.strip():
                continue
            if line.is_too_long:
                reason = f"is longer than the {LARGEST_LINE} bytes that one line may have"
                yield Unreadable(file.file, line.number, reason, _raw_text(line.content))
            elif file.kind == layout.JOURNAL:
                yield _read_refusal(file, line)
            else:
                yield _read_delivery(file, line, default)


def _read_delivery(file: LandedFile, line: Line, default: datetime) -> LandedDelivery | Unreadable:
    try:
        envelope, body = envelopes.read_line(line.content)
    except envelopes.EnvelopeError as error:
        return Unreadable(file.file, line.number, str(error), _raw_text(line.content))
    assert envelope.sha256 is not None  # noqa: S101 (reading a line fills it)
    return LandedDelivery(
        envelope.delivery_id or f"line-{_line_id(file, line)}",
        envelopes.instant_of(envelope.received_at) or default,
        file.file,
        line.number,
        envelope.content_type,
        body,
        len(body),
        envelope.sha256,
    )


def _read_refusal(file: LandedFile, line: Line) -> LandedRefusal | Unreadable:
    try:
        return _refusal_decoder.decode(line.content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Unreadable(file.file, line.number, f"no refusal: {error}", _raw_text(line.content))


def is_refusal(content: bytes) -> bool:
    """Tell whether a line of a journal is whole."""
    try:
        _refusal_decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def _line_id(file: LandedFile, line: Line) -> str:
    return hashlib.sha256(f"{file.file_id} {line.number}".encode()).hexdigest()[:32]


def _raw_text(content: bytes) -> str:
    return content[:RAW_TEXT_LENGTH].decode("utf-8", "backslashreplace")


def _bounded_instant(modified: float, now: datetime) -> datetime:
    """Give a modification time, but none after now; one that no calendar holds is taken as now."""
    try:
        return min(datetime.fromtimestamp(modified, now.tzinfo), now)
    except (OverflowError, ValueError, OSError):
        return now
