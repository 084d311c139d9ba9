"""Walks through the landing folder: every path whose name says that it holds deliveries, quickly and without end.

Symbolic links are shown, not followed, also those to folders: what stands there would else be missed in silence. A
folder that cannot be read is shown too, with the reason, so that whoever looks at the tables learns of it.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from progress_pipeline.landing import layout

NOT_A_FILE = "is not a regular file"
A_LINK = "is a symbolic link, which is not followed"


class Sight(msgspec.Struct, frozen=True):
    """One path below the landing folder, its own status, and why it cannot be read, if that shows already."""

    path: str
    status: os.stat_result
    problem: str | None = None


def walk(landing: Path) -> Iterator[Sight]:
    """Give every path of a landed kind; a folder's files in the order of names, then its folders'."""
    folders = [""]
    while folders:
        below = folders.pop()
        try:
            with os.scandir(landing / below) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except FileNotFoundError:
            continue
        except OSError as error:
            yield Sight(f"{below}/", os.lstat(landing / below), f"cannot be opened: {error.strerror}")
            continue
        inner: list[str] = []
        for entry in entries:
            if entry.name.startswith("."):
                continue
            path = f"{below}/{entry.name}" if below else entry.name
            if entry.is_dir(follow_symlinks=False):
                inner.append(path)
            elif layout.kind_of(entry.name) is not None or _is_link_to_folder(entry):
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                except OSError as error:
                    yield Sight(f"{below}/", os.lstat(landing / below), f"cannot be searched: {error.strerror}")
                    break
                yield Sight(path, status, _problem(status))
        folders += reversed(inner)


def _is_link_to_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_symlink() and os.path.isdir(entry.path)  # noqa: PTH112 (entry.is_dir() raises on a link to itself)


def _problem(status: os.stat_result) -> str | None:
    if stat.S_ISREG(status.st_mode):
        return None
    return A_LINK if stat.S_ISLNK(status.st_mode) else NOT_A_FILE
