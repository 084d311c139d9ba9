"""Puts landed files away once they are loaded: moved aside, or packed; and never one that was not read.

A file is put away only if its identity (path and content) is among those that a committed load has read. It is moved
first and looked at again where it cannot be written to by name any more; if it is not what was read, it goes back. One
that cannot be moved holds up no other. A pack is a tar compressed with zstd, which `tar --zstd -xf` opens; the files in
it are deleted only after the pack was synced and read back, byte for byte.
"""

import hashlib
import os
import secrets
import tarfile
from collections.abc import Container, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import zstandard

from progress_pipeline.clock import Clock
from progress_pipeline.errors import LandingError
from progress_pipeline.landing import durably, layout, stillness
from progress_pipeline.landing.finding import LandedFile, find_files

KEEP = "keep"
ARCHIVE = "archive"
COMPACT = "compact"

PACK_SUFFIX = ".tar.zst"
_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class PutAway:
    """What was put away, and the pack that it is in, if it was packed."""

    file_count: int = 0
    byte_count: int = 0
    pack: Path | None = None


def put_away(landing: Path, *, loaded_ids: Container[str], how: str, clock: Clock) -> PutAway:
    """Put every loaded file away.

    Args:
        landing: The landing folder.
        loaded_ids: The `file_id` of every file that a committed load has read.
        how: keep (nothing is done), archive (moved below `.archive`) or compact (packed there).
        clock: Names the pack.

    Raises:
        LandingError: Some could not be; every file is where it was, or in `.archive`.
    """
    if how == KEEP:
        return PutAway()
    loose = landing / layout.ARCHIVE_FOLDER / layout.LOOSE_FOLDER
    moved: list[LandedFile] = []
    left: list[tuple[str, OSError]] = []
    try:
        for file in find_files(landing, known={}):
            try:
                if file.file_id in loaded_ids and _move(landing, file):
                    moved.append(file)
            except OSError as error:
                left.append((file.file, error))
        pack = _pack(loose, clock) if how == COMPACT and loose.is_dir() else None
        _remove_empty_days(landing, clock)
    except OSError as error:
        raise _not_put_away(landing, "Loaded files", error) from error
    if left:
        name, first = left[0]
        raise _not_put_away(landing, f"{len(left)} of {len(left) + len(moved)} loaded files ({name} first)", first)
    return PutAway(len(moved), sum(file.byte_count for file in moved), pack)


def _not_put_away(landing: Path, what: str, error: OSError) -> LandingError:
    return LandingError(
        f"{what} could not be put away below {landing / layout.ARCHIVE_FOLDER}: {error.strerror or error}. "
        "Nothing is lost; it is tried again after the next load."
    )


def _move(landing: Path, file: LandedFile) -> bool:
    """Move a file to the archive; back again if it is not the one that was read."""
    if file.problem is not None:
        return False
    source = landing / file.path
    target = layout.archived(landing, file.path, file.file_id)
    durably.make_folder(target.parent)
    source.rename(target)
    content: stillness.Content | None = None
    with suppress(OSError):
        content = stillness.hash_if_still(target, file.kind)
    digest = hashlib.sha256(os.fsencode(file.path) + b"\0" + content.sha256).hexdigest() if content else None
    if digest != file.file_id:
        _move_back(target, source)
        return False
    durably.sync_folder(target.parent)
    return True


def _move_back(target: Path, source: Path) -> None:
    """Put a file back in its place or, if another one stands there by now, beside it."""
    try:
        os.link(target, source, follow_symlinks=False)
    except FileExistsError:
        os.link(target, source.with_name(f"{secrets.token_hex(4)}-{source.name}"), follow_symlinks=False)
    target.unlink()


def _pack(loose: Path, clock: Clock) -> Path | None:
    """Pack all that lies loose in the archive, and delete it when the pack was read back."""
    paths = sorted(path for path in loose.rglob("*") if path.is_file())
    if not paths:
        return None
    for left in loose.parent.glob(f".*{PACK_SUFFIX}"):
        left.unlink()  # of a run that was killed
    pack = loose.parent / layout.new_name(clock(), PACK_SUFFIX)
    unfinished = pack.with_name(f".{pack.name}")
    try:
        _write_pack(unfinished, paths, loose)
        unfinished.rename(pack)
    except BaseException:
        unfinished.unlink(missing_ok=True)  # on a full disk it would take the room that deliveries need
        raise
    durably.sync_folder(pack.parent)
    for path in paths:
        path.unlink()
    for folder in sorted((path for path in loose.rglob("*") if path.is_dir()), reverse=True):
        folder.rmdir()
    return pack


def _write_pack(unfinished: Path, paths: Sequence[Path], loose: Path) -> None:
    """Write a pack, and see by reading it back that it holds every file as it is."""
    with unfinished.open("xb") as stream:
        with (
            zstandard.ZstdCompressor(level=9).stream_writer(stream, closefd=False) as packer,
            tarfile.open(fileobj=packer, mode="w|", dereference=True) as tar,  # each name of a file holds its bytes
        ):
            for path in paths:
                tar.add(path, path.relative_to(loose))
        stream.flush()
        os.fsync(stream.fileno())
    packed = dict(_read_pack(unfinished))
    wrong = [path for path in paths if packed.get(str(path.relative_to(loose))) != _digest(path)]
    if wrong:
        raise OSError(0, f"the pack does not hold {wrong[0]} as it is")


def _read_pack(pack: Path) -> Iterator[tuple[str, bytes]]:
    """Give the name and the SHA-256 of each file in a pack."""
    with (
        pack.open("rb") as stream,
        zstandard.ZstdDecompressor().stream_reader(stream) as unpacker,
        tarfile.open(fileobj=unpacker, mode="r|") as tar,
    ):
        for member in tar:
            content = tar.extractfile(member)
            if content is not None:
                digest = hashlib.sha256()
                while chunk := content.read(_CHUNK):
                    digest.update(chunk)
                yield member.name, digest.digest()


def _digest(path: Path) -> bytes:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def _remove_empty_days(landing: Path, clock: Clock) -> None:
    """Remove the folders of past days that hold nothing any more; into today's a receiver may be sealing."""
    today = f"dt={clock():%Y-%m-%d}"
    for day in landing.glob("dt=????-??-??"):
        if day.name < today and day.is_dir():
            for folder in (*day.glob("hh=??"), day):
                with suppress(OSError):
                    folder.rmdir()
