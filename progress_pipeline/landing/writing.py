"""Writes deliveries into segments so that what was written is on disk for good.

One writer, one thread. `append` writes a group of lines and syncs once; when it returns, the lines are durable. When
it raises, none of them may be acknowledged: the segment is cut back to what is durable and closed, and the next group
goes into a new file. A descriptor whose sync failed is never synced again, since Linux forgets what it could not
write and would report success (fsync(2); https://wiki.postgresql.org/wiki/Fsync_Errors). Sealing closed segments is
the work of `sealing`; what a crash left behind, of `recovery`.
"""

import errno
import fcntl
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from progress_pipeline.clock import Clock
from progress_pipeline.errors import LandingError
from progress_pipeline.landing import durably, layout

SEAL_BYTES = 16 * 1024 * 1024
SEAL_SECONDS = 5.0

_VECTOR = 512
"""Lines handed to the kernel in one write; it takes at most 1,024 (IOV_MAX)."""


@dataclass(frozen=True)
class ClosedSegment:
    """A segment that nobody writes any more; one that may hold a torn line must be recovered, not just sealed."""

    path: Path
    is_whole: bool


class SegmentWriter:
    """Appends groups of lines to the open segment of a landing folder.

    Attributes:
        landing: The landing folder.
        on_closed: Takes each segment that is closed, to see to it that it is sealed.
    """

    def __init__(
        self,
        landing: Path,
        *,
        clock: Clock,
        on_closed: Callable[[ClosedSegment], None],
        seal_bytes: int = SEAL_BYTES,
        seal_seconds: float = SEAL_SECONDS,
    ) -> None:
        self.landing = landing
        self._clock = clock
        self.on_closed = on_closed
        self._seal_bytes = seal_bytes
        self._seal_seconds = seal_seconds
        self._path: Path | None = None
        self._descriptor = -1
        self._size = 0
        self._opened_at = 0.0

    def append(self, lines: Sequence[bytes]) -> None:
        """Write lines, and return when they are on disk for good.

        Raises:
            LandingError: They are not, for a reason that the message gives. Nothing of them may be acknowledged.
        """
        try:
            if self._path is None:
                self._open()
            self._write(lines)
            self._sync()
        except OSError as error:
            self._give_up()
            raise LandingError(
                f"Deliveries could not be written to {self.landing} for good: {error.strerror or error}. They are not "
                "acknowledged; the next ones go into a new file. Make room, or mend the disk."
            ) from error
        except BaseException:
            self._give_up()
            raise
        self._size += sum(map(len, lines))
        if self._size >= self._seal_bytes:
            self.close()

    def probe(self) -> None:
        """Try whether a group would be durable now, by a file of no meaning.

        Raises:
            LandingError: It would not.
        """
        try:
            folder = self.landing / layout.OPEN_FOLDER
            durably.make_folder(folder)
            probe = folder / f".{layout.new_name(self._clock(), '.probe')}"
            try:
                durably.write_file(probe, b"\0" * 4096)
            finally:
                probe.unlink(missing_ok=True)
        except OSError as error:
            raise LandingError(
                f"Nothing can be written to {self.landing} for good: {error.strerror or error}. Make room, or mend it."
            ) from error

    def seconds_until_due(self) -> float | None:
        """Tell in how many seconds the open segment is to be closed; None if none is open."""
        if self._path is None:
            return None
        return max(0.0, self._opened_at + self._seal_seconds - time.monotonic())

    def close(self) -> None:
        """Close the open segment, if there is one, and hand it on to be sealed."""
        if self._path is None:
            return
        path, self._path = self._path, None
        self._close_descriptor()
        self.on_closed(ClosedSegment(path, is_whole=True))

    def _open(self) -> None:
        folder = self.landing / layout.OPEN_FOLDER
        durably.make_folder(folder)
        path = folder / layout.new_name(self._clock(), layout.SEGMENT_SUFFIX)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        self._descriptor = os.open(path, flags, layout.FILE_MODE)
        self._path = path
        self._size = 0
        self._opened_at = time.monotonic()
        # The lock says that the segment has a living writer, so no other process recovers it.
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(self._descriptor).st_nlink == 0:
            raise OSError(errno.ESTALE, "another process took the new segment for one that a crash had left")
        durably.sync_folders(folder, self.landing)

    def _write(self, lines: Sequence[bytes]) -> None:
        for start in range(0, len(lines), _VECTOR):
            part = lines[start : start + _VECTOR]
            expected = sum(map(len, part))
            written = os.writev(self._descriptor, part)
            rest = memoryview(b"".join(part))[written:] if written < expected else memoryview(b"")
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]

    def _sync(self) -> None:
        durably.sync(self._descriptor)
        if self._path is None or not _is_at(self._descriptor, self._path):
            raise OSError(errno.ESTALE, "somebody has deleted or moved the open segment, or mounted over its folder")

    def _give_up(self) -> None:
        """Cut the segment back to what is durable, and close it; an empty one is removed."""
        if self._path is None:
            return
        path, self._path = self._path, None
        with suppress(OSError):
            os.ftruncate(self._descriptor, self._size)
        self._close_descriptor()
        if not self._size:
            with suppress(OSError):
                path.unlink()
                return
        # Whether it could be cut, and whether a power cut would bring the tail back, is not known: it is recovered,
        # which looks at each line and syncs what is left anew.
        self.on_closed(ClosedSegment(path, is_whole=False))

    def _close_descriptor(self) -> None:
        with suppress(OSError):
            os.close(self._descriptor)
        self._descriptor = -1


def _is_at(descriptor: int, path: Path) -> bool:
    """Tell whether a path still leads to an open file, as it must for whoever is to find it."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False
