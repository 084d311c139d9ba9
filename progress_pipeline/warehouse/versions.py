"""The manifest of a published file, and its last few versions.

A version is a second name of the same file, so it takes no room until the next one is published. All of this comes
after the file is in place: a reader who checks the manifest's hash may find the one of the version before for an
instant.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from progress_pipeline.second_names import give_name, names_given
from progress_pipeline.warehouse.personal import PersonalData, tells_more


@dataclass(frozen=True)
class PublishedTable:
    """A table or view of a published file."""

    name: str
    row_count: int


@dataclass(frozen=True)
class PublishedFile:
    """A file that was published: its name, its size, and the SHA-256 of its bytes in hex."""

    file: str
    byte_count: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a published file is.

    Attributes:
        file: Its name.
        version: Its name among the versions: the instant that its data is true for.
        as_of: The same, in ISO 8601.
        sha256: Of its bytes, in hex.
        byte_count: Its size.
        duckdb_version: The DuckDB that wrote it.
        personal_data: What it tells of persons: full, pseudonyms or none.
        tables: Its tables and views.
        parquet: The same as Parquet files, below the folder `parquet`; none if there is no such folder.
    """

    file: str
    version: str
    as_of: str
    sha256: str
    byte_count: int
    duckdb_version: str
    personal_data: str
    tables: tuple[PublishedTable, ...]
    parquet: tuple[PublishedFile, ...] = ()


def describe(path: Path, name: str) -> PublishedFile:
    """Give a file's size and hash.

    Args:
        path: Where it is now.
        name: What it will be called.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return PublishedFile(name, path.stat().st_size, digest)


def sync(path: Path) -> None:
    """See that a file's bytes, or a folder's names, are on the disk for good."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write a manifest, whole or not at all."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.building")
    with aside.open("w", encoding="utf-8") as file:
        json.dump(asdict(manifest), file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def keep_version(published: Path, manifest: Manifest, *, keep: int) -> None:
    """Give the published file a second name among the versions, and let go of the oldest beyond `keep`.

    Those that tell more of persons than this one are let go of too: who wants less told wants no old file that does.
    """
    if keep > 0:
        version = give_name(published, manifest.version)
        write_manifest(_manifest_of(version), manifest)
    present = PersonalData(manifest.personal_data)
    for place, version in enumerate(names_given(published)):
        told = _manifest_of(version)
        if place >= keep or tells_more(_personal_data(told), present):
            version.unlink()
            told.unlink(missing_ok=True)


def _manifest_of(version: Path) -> Path:
    return version.with_name(f"{version.name}.manifest.json")


def _personal_data(manifest: Path) -> str:
    """Give what a version tells of persons, by its manifest; nothing if that cannot be read."""
    try:
        return str(json.loads(manifest.read_text(encoding="utf-8"))["personal_data"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
