"""Finds landed files that are new and whole.

A file's identity is its path and its content. Size and change time (`st_ctime_ns`, which nobody can set back) only
serve to see quickly that a known file is unchanged; where they differ, the content is hashed and decides. So a file
that appears late with an old time is found, and one that was touched is not loaded twice.

Left for the next run is what is still being written: a file that some process holds open for writing, one that
changes while it is read, and one changed in the last two seconds whose content is cut off. What can be seen not to be
readable is found with its problem: a symbolic link, which is not followed, and a file too large for one delivery. Dot
files, dot folders and names of other kinds are not ours.
"""

import hashlib
import os
from collections.abc import Container, Iterator, Mapping
from pathlib import Path

import msgspec

from progress_pipeline.landing import layout, stillness, walking

LARGEST_BODY = 64 * 1024 * 1024
"""Bytes of the largest file that is taken as one delivery's body: four times what our receiver accepts."""


class LandedFile(msgspec.Struct, frozen=True):
    """A landed file that was not read before.

    Attributes:
        file_id: Its identity: hash of its path and content.
        file: Its path below the landing folder; bytes that are no UTF-8 stand as escapes.
        kind: body, segment or journal.
        byte_count: Its size.
        modified_ns: Its change time in nanoseconds, only to see that it is unchanged.
        path: The same path as the system has it.
        problem: Why it cannot be read, if that can be seen.
    """

    file_id: str
    file: str
    kind: str
    byte_count: int
    modified_ns: int
    path: str = ""
    problem: str | None = None


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
