"""The published tables as a folder of Parquet files, for those without DuckDB.

A version is a folder of its own that never changes. `parquet`, beside the published file, is a link to the newest, and
is turned in one instant; who wants several files of one version follows the link once and keeps the folder.
"""

import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb

from progress_pipeline.second_names import VERSIONS
from progress_pipeline.warehouse.connection import literal
from progress_pipeline.warehouse.filling import AT_ONCE
from progress_pipeline.warehouse.personal import PersonalData, tells_more
from progress_pipeline.warehouse.versions import PublishedFile, describe, sync

LINK = "parquet"
ENDING = ".parquet"

_COMPRESSION = "compression zstd, compression_level 1"
"""Of such columns the files are as small as by the default level 3, in two thirds of the time."""


def write_folder(reader: duckdb.DuckDBPyConnection, aside: Path, tables: Sequence[str]) -> tuple[PublishedFile, ...]:
    """Write the tables of a published file as Parquet files, `<schema>/<table>.parquet`.

    Args:
        reader: To the file, from `open_as_reader`.
        aside: The folder; not there yet.
        tables: The tables, with their schemas.
    """
    aside.mkdir()

    def write(table: str) -> PublishedFile:
        schema, _, name = table.partition(".")
        path = aside / name if schema == "main" else aside / schema / name
        path = path.with_name(f"{path.name}{ENDING}")
        path.parent.mkdir(exist_ok=True)
        with reader.cursor() as cursor:
            cursor.execute(f"copy (from {table}) to {literal(str(path))} (format parquet, {_COMPRESSION})")
        sync(path)
        return describe(path, path.relative_to(aside).as_posix())

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return tuple(pool.map(write, tables))


def put_in_place(aside: Path, published: Path, version: str, *, keep: int) -> None:
    """Make a folder the newest version, turn the link to it, and let go of the oldest.

    Args:
        aside: The folder.
        published: The published file that it stands beside.
        version: Its name.
        keep: How many versions stand; the one that the link names always does.
    """
    versions = published.parent / VERSIONS
    versions.mkdir(exist_ok=True)
    folder = versions / f"{published.stem}-{version}{ENDING}"
    if folder.exists():
        shutil.rmtree(aside)  # the name holds the hash of the content: it is the same
    else:
        aside.rename(folder)
    sync(versions)
    link = published.with_name(LINK)
    turned = link.with_name(f".{published.name}.{os.getpid()}.building-link")
    turned.unlink(missing_ok=True)
    turned.symlink_to(Path(VERSIONS) / folder.name)
    turned.replace(link)
    sync(published.parent)
    others = sorted(versions.glob(f"{published.stem}-[0-9]*T[0-9]*Z-*{ENDING}"), reverse=True)
    for old in [each for each in others if each != folder][max(keep, 1) - 1 :]:
        shutil.rmtree(old, ignore_errors=True)


def let_go(published: Path, present: PersonalData) -> None:
    """Let go of the folders that tell more of persons than what is published now, as their names say at the end.

    Raises:
        OSError: One of them stays, and with it what it tells.
    """
    for folder in (published.parent / VERSIONS).glob(f"{published.stem}-[0-9]*T[0-9]*Z-*{ENDING}"):
        if tells_more(folder.name.removesuffix(ENDING).rpartition("-")[2], present):
            try:
                shutil.rmtree(folder)
            except OSError as error:
                raise OSError(
                    f"{folder} tells more of persons than may be told, and cannot be removed: {error}"
                ) from error


def is_blocked(published: Path) -> bool:
    """Say whether something that is no link stands where the link belongs."""
    link = published.with_name(LINK)
    return link.exists() and not link.is_symlink()


def take_away(published: Path) -> None:
    """Take the link away, so that nobody reads an old folder for a new one."""
    link = published.with_name(LINK)
    if link.is_symlink():
        link.unlink()
