"""Versions of what is published: second names of a file, each by the instant that it is true for, in a folder of them.

A second name takes no room until the next file takes the first one's place.
"""

import shutil
from pathlib import Path

VERSIONS = "versions"


def give_name(file: Path, version: str) -> Path:
    """Give a file its name among the versions; an older file of that name is let go of.

    Args:
        file: The file.
        version: The version, such as `20261123T050000Z`.

    Returns:
        The second name.

    Raises:
        OSError: It cannot be given.
    """
    folder = file.parent / VERSIONS
    folder.mkdir(exist_ok=True)
    second = folder / f"{file.stem}-{version}{file.suffix}"
    second.unlink(missing_ok=True)
    try:
        second.hardlink_to(file)
    except OSError:
        shutil.copyfile(file, second)  # a file system without second names
    return second


def names_given(file: Path) -> list[Path]:
    """Give a file's versions, the newest first."""
    named = (file.parent / VERSIONS).glob(f"{file.stem}-[0-9]*T[0-9]*Z{file.suffix}")
    return sorted((each for each in named if each.is_file()), reverse=True)
