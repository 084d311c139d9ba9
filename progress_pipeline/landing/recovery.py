"""Recovers the segments that a crash left open: every whole line is kept, the rest is put aside, and they are sealed.

A line is whole if it ends and its body is the one that its SHA-256 was taken of. What was acknowledged is always whole,
since its sync came before its answer. The rest (a line torn by the crash, or zeros where the file system lost a write)
was never acknowledged; it goes to `.torn` for whoever wants to look. A segment that another process is writing is
locked, and left alone. Recovering may itself be cut off anywhere, and is then done again.
"""

import fcntl
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from progress_pipeline.clock import Clock
from progress_pipeline.landing import durably, envelopes, layout, sealing
from progress_pipeline.landing.lines import split_lines
from progress_pipeline.landing.reading import is_refusal


@dataclass(frozen=True)
class Recovered:
    """What was found of one segment."""

    sealed: Path | None
    line_count: int
    torn_bytes: int


def recover(landing: Path, *, clock: Clock) -> list[Recovered]:
    """Recover and seal every segment that no living process writes.

    Raises:
        OSError: The folder cannot be written; everything stays as it is.
    """
    folder = landing / layout.OPEN_FOLDER
    if not folder.is_dir():
        return []
    paths = sorted(path for path in folder.iterdir() if layout.kind_of(path.name) is not None)
    found = (recover_one(landing, path, clock=clock) for path in paths)
    return [one for one in found if one is not None]


def recover_one(landing: Path, path: Path, *, clock: Clock) -> Recovered | None:
    """Recover and seal one segment; None if another process writes it, or has taken it away."""
    try:
        stream = path.open("r+b")
    except FileNotFoundError:
        return None
    with stream:
        try:
            fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        if os.fstat(stream.fileno()).st_nlink == 0:
            return None
        try:
            return _seal_whole_lines(landing, path, stream, clock)
        except FileNotFoundError:
            if path.exists():
                raise
            return None


def _seal_whole_lines(landing: Path, path: Path, stream: BinaryIO, clock: Clock) -> Recovered:
    is_whole = is_refusal if path.name.endswith(layout.JOURNAL_SUFFIX) else envelopes.is_envelope
    good, bad = _spans(stream, is_whole)
    torn_bytes = sum(end - start for start, end in bad)
    if bad:
        _put_aside(landing, path, stream, bad)
        if not good:
            pass
        elif good[-1][1] <= bad[0][0]:
            stream.truncate(bad[0][0])
        else:
            _keep_only(path, stream, good)
    if not good:
        path.unlink()
        return Recovered(None, 0, torn_bytes)
    durably.sync(stream.fileno())
    return Recovered(sealing.seal(landing, path, clock=clock), len(good), torn_bytes)


def _spans(stream: BinaryIO, is_whole: Callable[[bytes], bool]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Give where the whole lines stand, and where the rest."""
    good: list[tuple[int, int]] = []
    bad: list[tuple[int, int]] = []
    stream.seek(0)
    for line in split_lines(stream):
        whole = line.is_ended and not line.is_too_long and is_whole(line.content)
        (good if whole else bad).append((line.start, line.end))
    return good, bad


def _put_aside(landing: Path, path: Path, stream: BinaryIO, bad: list[tuple[int, int]]) -> None:
    folder = landing / layout.TORN_FOLDER
    durably.make_folder(folder)
    durably.write_file(folder / f"{path.name}.torn", _cut_out(stream, bad))


def _keep_only(path: Path, stream: BinaryIO, good: list[tuple[int, int]]) -> None:
    """Put a file with only the whole lines in the segment's place, at once."""
    mended = path.with_name(f".{path.name}.mended")
    durably.write_file(mended, _cut_out(stream, good))
    mended.replace(path)
    durably.sync_folder(path.parent)


def _cut_out(stream: BinaryIO, spans: list[tuple[int, int]]) -> bytes:
    parts = []
    for start, end in spans:
        stream.seek(start)
        parts.append(stream.read(end - start))
    return b"".join(parts)
