"""The published file: marts and audit, built aside, verified, and put in place of the old one in one instant.

It needs nothing but itself: no warehouse, no function of the prelude, and it opens in DuckDB 1.5 and later. Readers of
the old file keep it until they close it. What is written is in `filling.py`, what of it tells of persons in
`personal.py`, how it is verified in `verifying.py`; versions and manifest are in `versions.py`.
"""

import errno
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from progress_pipeline.errors import PublishError
from progress_pipeline.warehouse import parquet
from progress_pipeline.warehouse.connection import SCHEMA_NAMES, WAIT_SECONDS, connect
from progress_pipeline.warehouse.filling import DICTIONARY, PUBLISHED_SCHEMAS, README, Filled, fill
from progress_pipeline.warehouse.models import Model
from progress_pipeline.warehouse.personal import Privacy
from progress_pipeline.warehouse.readme import version_of
from progress_pipeline.warehouse.verifying import open_as_reader, verify
from progress_pipeline.warehouse.versions import (
    Manifest,
    PublishedFile,
    PublishedTable,
    describe,
    keep_version,
    sync,
    write_manifest,
)

_LARGE = 1_000_000_000
"""Bytes of a warehouse from which on it matters how much memory publishing takes."""

_ENOUGH = 6_000_000_000
"""Bytes of memory in which ten million registrations are published as fast as in 14, with 1.5 GB spilled meanwhile."""

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True)
class Published:
    """A file that was published.

    Attributes:
        path: Where it is.
        tables: Its tables and views, with their row counts.
        byte_count: Its size.
        sha256: Of its bytes, in hex.
        as_of: The instant that its data is true for.
        parquet: The folder of the same as Parquet files, if there is one.
    """

    path: Path
    tables: tuple[PublishedTable, ...]
    byte_count: int
    sha256: str
    as_of: datetime
    parquet: Path | None = None


@dataclass(frozen=True)
class Form:
    """In which form something is published.

    Attributes:
        privacy: What is told of persons.
        has_parquet: Whether a folder of Parquet files stands beside the file.
        keep: How many versions stand in the folder `versions` beside it, this one among them; 0 for none.
        facts: What the file says of itself in its table `readme` besides what it says anyway, by topic.
    """

    privacy: Privacy = field(default_factory=Privacy)
    has_parquet: bool = False
    keep: int = 3
    facts: Mapping[str, str] = field(default_factory=dict)


def publish(  # noqa: PLR0913 - what a caller may want is few, named, and has defaults
    warehouse: Path,
    published: Path,
    models: Iterable[Model],
    *,
    as_of: datetime,
    form: Form | None = None,
    wait_seconds: float = WAIT_SECONDS,
) -> Published:
    """Publish the marts and the audit.

    Args:
        warehouse: The warehouse; nobody else may have it open.
        published: The file to put in place.
        models: All models, in the order of `read_models`.
        as_of: The instant that the data is true for.
        form: In which form; whole, as one file alone, if that is left open.
        wait_seconds: How long to wait for another process to let go of the warehouse.

    Raises:
        PublishError: The new file could not be made or failed its verification; the old one stands as it was.
        WarehouseBusyError: Another process holds the warehouse.
    """
    form = form or Form()
    if published.stem.lower() in SCHEMA_NAMES:
        raise PublishError(f"{published} bears the name of a schema, which its readers would trip over. Rename it.")
    if not warehouse.exists():
        raise PublishError(f"There is no warehouse at {warehouse} yet, so there is nothing to publish. Run first.")
    if form.has_parquet and parquet.is_blocked(published):
        raise PublishError(
            f"{published.with_name(parquet.LINK)} is no link to the newest Parquet files (a copy that follows links "
            f"makes a folder of it). Move it away and run again; {published} stands as it was."
        )
    chosen = [model for model in models if model.schema in PUBLISHED_SCHEMAS]
    published.parent.mkdir(parents=True, exist_ok=True)
    with connect(warehouse, wait_seconds=wait_seconds) as connection:
        if warehouse.stat().st_size > _LARGE:
            ((most,),) = connection.execute("select parse_formatted_bytes(current_setting('memory_limit'))").fetchall()
            connection.execute(f"set memory_limit = '{memory_for_publishing(int(most))}B'")
        _remove_leftovers(published)
        try:
            manifest = _put_in_place(connection, published, chosen, as_of, form)
        except (duckdb.Error, OSError) as error:
            raise _failure(published, error) from error
        finally:
            connection.execute("reset memory_limit")  # it is the whole process's
            _remove_leftovers(published)
        try:
            keep_version(published, manifest, keep=form.keep)
            write_manifest(published.with_name(f"{published.name}.manifest.json"), manifest)
            parquet.let_go(published, form.privacy.personal_data)
        except OSError as error:
            raise _unaccompanied(published, error) from error
    link = published.with_name(parquet.LINK) if manifest.parquet else None
    return Published(published, manifest.tables, manifest.byte_count, manifest.sha256, as_of, link)


def memory_for_publishing(most: int) -> int:
    """Give the bytes of memory for publishing a large warehouse, of the most that DuckDB would take: by itself, all.

    What does not fit is spilled beside the warehouse. A third is enough; the rest is for others, and for the pages of
    files that the next run reads.
    """
    return min(most, max(most // 3, _ENOUGH))


def _put_in_place(
    connection: duckdb.DuckDBPyConnection, published: Path, models: list[Model], as_of: datetime, form: Form
) -> Manifest:
    """Make the file and the folder aside, verify them, and let them take the old ones' places."""
    aside = published.with_name(f".{published.name}.{os.getpid()}.building")
    folder = aside.with_name(f"{aside.name}{parquet.ENDING}")
    filled = fill(connection, aside, models, as_of=as_of, facts=form.facts, privacy=form.privacy)
    files: tuple[PublishedFile, ...] = ()
    with open_as_reader(aside) as reader:
        verify(reader, filled)
        if form.has_parquet:
            names = [f"main.{README}", f"main.{DICTIONARY}", *(each.model.name for each in filled)]
            files = parquet.write_folder(reader, folder, names)
    sync(aside)
    made = describe(aside, published.name)
    aside.replace(published)
    try:
        sync(published.parent)
        if form.has_parquet:
            name = f"{version_of(as_of)}-{made.sha256[:8]}-{form.privacy.personal_data.value}"
            parquet.put_in_place(folder, published, name, keep=form.keep)
        else:
            parquet.take_away(published)
    except OSError as error:
        raise _unaccompanied(published, error) from error
    return _manifest(made, files, filled, as_of, form)


def _manifest(
    made: PublishedFile, files: tuple[PublishedFile, ...], filled: list[Filled], as_of: datetime, form: Form
) -> Manifest:
    return Manifest(
        file=made.file,
        version=version_of(as_of),
        as_of=as_of.astimezone(UTC).isoformat(),
        sha256=made.sha256,
        byte_count=made.byte_count,
        duckdb_version=duckdb.__version__,
        personal_data=form.privacy.personal_data.value,
        tables=tuple(PublishedTable(each.model.name, each.row_count) for each in filled),
        parquet=files,
    )


def _remove_leftovers(published: Path) -> None:
    """Remove what this or a killed run left beside the file; who publishes holds the warehouse, so none is in use."""
    for leftover in published.parent.glob(f".{published.name}.*.building*"):
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def _unaccompanied(published: Path, error: OSError) -> PublishError:
    return PublishError(
        f"{published} is new and whole, but what belongs beside it (Parquet files, versions, manifest) could not be "
        f"put in order: {error}. Mend that and run again; until then they may still tell of the version before."
    )


def _failure(published: Path, error: Exception) -> PublishError:
    number = getattr(error, "errno", None)
    stands = "The file that stood there stands as it was." if published.exists() else "No file stands there yet."
    if number in _NO_ROOM or any(os.strerror(code) in str(error) for code in _NO_ROOM):
        return PublishError(
            f"There is no room left to publish {published}: {error}. Free some space (the new file is built beside "
            f"the old one, so both must fit) and run again. {stands}"
        )
    return PublishError(f"{published} could not be made: {error}. {stands}")
