"""The manifest of a published file, and its last few versions.

A version is a second name of the same file, so it takes no room until the next one is published. All of this comes
after the file is in place: a reader who checks the manifest's hash may find the one of the version before for an
instant.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from progress_pipeline.warehouse.models import Model

VERSIONS = "versions"


@dataclass(frozen=True)
class PublishedTable:
    """A table or view of a published file."""

    name: str
    row_count: int


@dataclass(frozen=True)
class Manifest:
    """What a published file is.

    Attributes:
        file: Its name.
        as_of: The instant that its data is true for, in ISO 8601.
        sha256: Of its bytes, in hex.
        byte_count: Its size.
        duckdb_version: The DuckDB that wrote it.
        tables: Its tables and views.
    """

    file: str
    as_of: str
    sha256: str
    byte_count: int
    duckdb_version: str
    tables: tuple[PublishedTable, ...]


def describe_file(
    path: Path, name: str, models: Sequence[Model], counts: Mapping[str, int], as_of: datetime
) -> Manifest:
    """Make the manifest of a file that is about to be published.

    Args:
        path: Where it is now.
        name: What it will be called.
        models: What it holds.
        counts: Their row counts.
        as_of: The instant that its data is true for.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Manifest(
        file=name,
        as_of=as_of.astimezone(UTC).isoformat(),
        sha256=digest,
        byte_count=path.stat().st_size,
        duckdb_version=duckdb.__version__,
        tables=tuple(PublishedTable(model.name, counts[model.name]) for model in models),
    )


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
    """Give the published file a second name among the versions, and let go of the oldest beyond `keep`."""
    folder = published.parent / VERSIONS
    stamp = datetime.fromisoformat(manifest.as_of).strftime("%Y%m%dT%H%M%SZ")
    pattern = f"{published.stem}-[0-9]*T[0-9]*Z{published.suffix}"
    if keep > 0:
        folder.mkdir(exist_ok=True)
        version = folder / f"{published.stem}-{stamp}{published.suffix}"
        version.unlink(missing_ok=True)
        try:
            version.hardlink_to(published)
        except OSError:
            shutil.copyfile(published, version)  # a file system without second names
        write_manifest(folder / f"{version.name}.manifest.json", manifest)
    newest_first = sorted(folder.glob(pattern), reverse=True)
    for old in newest_first[keep:]:
        old.unlink()
        old.with_name(f"{old.name}.manifest.json").unlink(missing_ok=True)
