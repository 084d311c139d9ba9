"""Makes files durable, and folders and their entries, which syncing a file does not do (fsync(2))."""

import fcntl
import os
import sys
from contextlib import suppress
from pathlib import Path

from progress_pipeline.landing import layout


def sync(descriptor: int) -> None:
    """Return when what was written to a file is on disk for good."""
    if sys.platform == "darwin":
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # its fsync only reaches the drive's cache (fsync(2) of macOS)
    else:
        os.fdatasync(descriptor)


def sync_folder(folder: Path) -> None:
    """Make a folder's entries durable: what was created, renamed or removed in it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folders(folder: Path, top: Path) -> None:
    """Make the entries of a folder durable, and those of the folders above it up to `top`.

    One that a process made and was killed before it had synced may not be durable, though it stands there.
    """
    while True:
        sync_folder(folder)
        if folder == top:
            return
        folder = folder.parent


def make_folder(folder: Path) -> None:
    """Make a folder and its missing parents, each durable in its own parent."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=layout.FOLDER_MODE, exist_ok=True)
    try:
        sync_folder(folder.parent)
    except OSError:
        # Found standing the next time, it would be taken for durable.
        with suppress(OSError):
            folder.rmdir()
        raise


def write_file(path: Path, content: bytes) -> None:
    """Write a new file, in the place of an old one if there is one, and return when it is on disk for good."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, layout.FILE_MODE)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_folder(path.parent)
