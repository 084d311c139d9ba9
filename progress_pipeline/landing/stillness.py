"""Tells whether a landed file is still being written, and hashes it if it is not.

Three signs, each enough to leave the file for the next run:

- Some process holds it open for writing. Linux says so when asked for a read lease (fcntl(2), F_SETLEASE), at once and
  exactly, where the file is ours; on file systems without leases this sign is missing.
- It was changed in the last two seconds of the machine's clock, and its content is cut: a body that is no whole JSON,
  or lines of which the last has no end and is no JSON. (A whole one need not wait, so that whoever renames finished
  files into place loses no run.)
- Its size or times differ before and after it was read.
"""

import fcntl
import hashlib
import os
import signal
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path

import msgspec

from progress_pipeline.landing import layout

FRESH_NS = 2_000_000_000
"""Nanoseconds for which a file that looks cut is given time to be finished."""

_TAIL = 1024 * 1024


class Content(msgspec.Struct, frozen=True):
    """The hash of a whole file, and its status, which was the same before and after."""

    sha256: bytes
    status: os.stat_result


@contextmanager
def open_still(full: Path) -> Iterator[BufferedReader]:
    """Open a regular file for reading; a symbolic link or a pipe that took its place raises OSError."""
    descriptor = os.open(full, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "not a regular file")
        yield stream


def hash_if_still(full: Path, kind: str) -> Content | None:
    """Hash a file's content; None if it is still being written.

    Raises:
        OSError: The file cannot be opened or read.
    """
    with open_still(full) as stream:
        if _has_writer(stream.fileno()):
            return None
        before = os.fstat(stream.fileno())
        digest = hashlib.file_digest(stream, "sha256")
        after = os.fstat(stream.fileno())
        if _version(before) != _version(after):
            return None
        if abs(time.time_ns() - after.st_mtime_ns) < FRESH_NS and _looks_cut(stream, kind):
            return None
        return Content(digest.digest(), after)


def _version(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _has_writer(descriptor: int) -> bool:
    """Ask the kernel whether anybody holds the file open for writing; False where it cannot tell."""
    try:
        # Should a writer come in this very moment, the kernel tells us so by a signal: one that is ignored by default.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except BlockingIOError:
        return True
    except (AttributeError, OSError):
        return False
    with suppress(OSError):
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def _looks_cut(stream: BufferedReader, kind: str) -> bool:
    if kind == layout.BODY:
        stream.seek(0)
        return not _is_json(stream.read())
    stream.seek(max(stream.seek(0, os.SEEK_END) - _TAIL, 0))
    tail = stream.read(_TAIL)
    if not tail or tail.endswith(b"\n"):
        return False
    return not _is_json(tail.rsplit(b"\n", 1)[-1])


def _is_json(content: bytes) -> bool:
    try:
        msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
