"""Where things stand in the landing folder, and what they are called.

    <landing>/dt=2026-11-23/hh=06/20261123T061544.123456Z-1f2e3d4c.ndjson            a sealed segment of deliveries
    <landing>/dt=2026-11-23/hh=06/20261123T061544.123456Z-1f2e3d4c.refusals.ndjson   a sealed journal of refusals
    <landing>/.open/…                                       segments that are being written
    <landing>/.torn/…                                       what a crash left of a line that was never acknowledged
    <landing>/.archive/…                                    what was loaded and put away
    <landing>/**/*.json                                     one delivery's body each, from any other receiver

Names and partitions tell the time of sealing, so whatever appears is in the newest folder. Dot files and dot folders
are nobody's deliveries. Only names belong here.
"""

import os
import secrets
from datetime import datetime
from pathlib import Path

OPEN_FOLDER = ".open"
TORN_FOLDER = ".torn"
ARCHIVE_FOLDER = ".archive"
LOOSE_FOLDER = "loose"
SEGMENT_SUFFIX = ".ndjson"
JOURNAL_SUFFIX = ".refusals.ndjson"
BODY_SUFFIX = ".json"

FILE_MODE = 0o640
FOLDER_MODE = 0o750
"""Landed files hold people's names and addresses: the owner writes, the group reads, others see nothing."""

_LONGEST_NAME = 255
"""Bytes of the longest name that common file systems take (NAME_MAX)."""

BODY = "body"
SEGMENT = "segment"
JOURNAL = "journal"


def kind_of(name: str) -> str | None:
    """Tell what a file of this name holds: body, segment or journal; None if it is no landed file."""
    lower = name.lower()
    if lower.startswith("."):
        return None
    if lower.endswith(JOURNAL_SUFFIX):
        return JOURNAL
    if lower.endswith((SEGMENT_SUFFIX, ".jsonl")):
        return SEGMENT
    return BODY if lower.endswith(BODY_SUFFIX) else None


def new_name(at: datetime, suffix: str) -> str:
    """Make a name that no other file has: the instant in UTC, and chance."""
    return f"{at:%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(4)}{suffix}"


def partition(landing: Path, at: datetime) -> Path:
    """Give the folder of what is sealed at an instant in UTC."""
    return landing / f"dt={at:%Y-%m-%d}" / f"hh={at:%H}"


def archived(landing: Path, file: str, file_id: str) -> Path:
    """Give where a landed file is put away: its path and its identity's beginning, for which a long name is cut."""
    path, mark = Path(file), f".{file_id[:16]}"
    name = path.name
    while len(os.fsencode(name)) + len(mark) > _LONGEST_NAME:
        name = name[:-1]
    return landing / ARCHIVE_FOLDER / LOOSE_FOLDER / path.with_name(name + mark)
