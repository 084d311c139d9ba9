"""Loaded files are put away whole, and what was not read is never touched."""

import os
import resource
import shutil
import signal
import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from progress_pipeline.clock import frozen_clock
from progress_pipeline.errors import LandingError
from progress_pipeline.landing import archiving, layout
from progress_pipeline.landing.archiving import put_away
from progress_pipeline.landing.finding import find_files


@pytest.fixture
def loaded(landing: Path) -> set[str]:
    """Land two files, and give their identities as loaded."""
    folder = landing / "dt=2026-11-22" / "hh=05"
    folder.mkdir(parents=True)
    (folder / "s.ndjson").write_bytes(b'{"body": "1"}\n')
    (landing / "x.json").write_bytes(b'{"x": 1}')
    return {file.file_id for file in find_files(landing, known={})}


def put_aside(landing: Path) -> dict[str, bytes]:
    """Give what lies loose in the archive."""
    loose = landing / layout.ARCHIVE_FOLDER / "loose"
    return {str(path.relative_to(loose)): path.read_bytes() for path in loose.rglob("*") if path.is_file()}


def test_by_default_everything_stays(landing: Path, loaded: set[str], now: datetime) -> None:
    """Keeping is the rule, putting away a choice."""
    assert put_away(landing, loaded_ids=loaded, how=archiving.KEEP, clock=frozen_clock(now)).file_count == 0
    assert len(list(find_files(landing, known={}))) == 2


def test_loaded_files_are_moved_aside_and_others_stay(landing: Path, loaded: set[str], now: datetime) -> None:
    """The archive keeps their paths, and empty folders of past days go."""
    (landing / "unread.json").write_bytes(b"{}")
    done = put_away(landing, loaded_ids=loaded, how=archiving.ARCHIVE, clock=frozen_clock(now))
    assert (done.file_count, done.byte_count) == (2, 22)
    assert [file.file for file in find_files(landing, known={})] == ["unread.json"]
    assert sorted(put_aside(landing).values()) == [b'{"body": "1"}\n', b'{"x": 1}']
    assert any(name.startswith("dt=2026-11-22/hh=05/s.ndjson.") for name in put_aside(landing))
    assert not (landing / "dt=2026-11-22").exists()


def test_a_file_whose_content_was_changed_since_it_was_read_stays(
    landing: Path, loaded: set[str], now: datetime
) -> None:
    """What is in it now was not read."""
    (landing / "x.json").write_bytes(b'{"x": 2}')
    put_away(landing, loaded_ids=loaded, how=archiving.COMPACT, clock=frozen_clock(now))
    assert (landing / "x.json").read_bytes() == b'{"x": 2}'


def test_a_file_that_somebody_still_writes_stays(landing: Path, loaded: set[str], now: datetime) -> None:
    """Though what is in it was read."""
    with (landing / "x.json").open("ab"):
        put_away(landing, loaded_ids=loaded, how=archiving.ARCHIVE, clock=frozen_clock(now))
        assert (landing / "x.json").exists()


def test_equal_paths_with_other_content_do_not_meet_in_the_archive(
    landing: Path, loaded: set[str], now: datetime
) -> None:
    """A path may be used again and again."""
    put_away(landing, loaded_ids=loaded, how=archiving.ARCHIVE, clock=frozen_clock(now))
    (landing / "x.json").write_bytes(b'{"x": 2}')
    again = {file.file_id for file in find_files(landing, known={})}
    put_away(landing, loaded_ids=again, how=archiving.ARCHIVE, clock=frozen_clock(now))
    assert len(put_aside(landing)) == 3


def test_a_pack_holds_every_file_byte_for_byte_and_tar_opens_it(
    landing: Path, loaded: set[str], now: datetime, tmp_path: Path
) -> None:
    """Only then are the files gone; what lay loose from before is packed too."""
    put_away(landing, loaded_ids=loaded, how=archiving.ARCHIVE, clock=frozen_clock(now))
    before = put_aside(landing)
    done = put_away(landing, loaded_ids=loaded, how=archiving.COMPACT, clock=frozen_clock(now))
    assert done.pack is not None
    assert done.pack.name.startswith("20261123T061544.123456Z-")
    assert put_aside(landing) == {}
    packed = dict(archiving._read_pack(done.pack))
    assert packed.keys() == before.keys()
    assert put_away(landing, loaded_ids=loaded, how=archiving.COMPACT, clock=frozen_clock(now)).pack is None
    tar, zstd = shutil.which("tar"), shutil.which("zstd")
    if tar and zstd:
        subprocess.run([tar, "--zstd", "-xf", done.pack, "-C", tmp_path], check=True)  # noqa: S603 (our own arguments)
        assert {name: (tmp_path / name).read_bytes() for name in before} == before


def test_an_archive_that_cannot_be_made_loses_nothing(landing: Path, loaded: set[str], now: datetime) -> None:
    """It is said, and tried again after the next load."""
    (landing / layout.ARCHIVE_FOLDER).write_bytes(b"in the way")
    with pytest.raises(LandingError, match="Nothing is lost"):
        put_away(landing, loaded_ids=loaded, how=archiving.ARCHIVE, clock=frozen_clock(now))
    assert len(list(find_files(landing, known={}))) == 2


@pytest.mark.parametrize("how", [archiving.ARCHIVE, archiving.COMPACT])
@pytest.mark.parametrize("stem", ["a" * 250, "é" * 125, "é" * 117 + "a"])
def test_a_name_that_leaves_no_room_is_cut_in_the_archive(landing: Path, now: datetime, how: str, stem: str) -> None:
    """A name may have 255 bytes, and the archive adds 17; the identity that it adds tells two cut names apart."""
    (landing / f"{stem}.json").write_bytes(b'{"x": 1}')
    (landing / "z.json").write_bytes(b'{"x": 2}')
    files = list(find_files(landing, known={}))
    ids = {file.file_id for file in files}
    assert put_away(landing, loaded_ids=ids, how=how, clock=frozen_clock(now)).file_count == 2
    assert list(find_files(landing, known={})) == []
    if how == archiving.ARCHIVE:
        assert all(layout.archived(landing, file.file, file.file_id).is_file() for file in files)


def test_a_file_that_cannot_be_moved_holds_up_no_other_and_is_named(
    landing: Path, loaded: set[str], now: datetime
) -> None:
    """In the place of its folder in the archive stands a file."""
    loose = landing / layout.ARCHIVE_FOLDER / "loose"
    loose.mkdir(parents=True)
    (loose / "dt=2026-11-22").write_bytes(b"in the way")
    with pytest.raises(LandingError, match=r"1 of 2 loaded files \(dt=2026-11-22/hh=05/s\.ndjson first\)"):
        put_away(landing, loaded_ids=loaded, how=archiving.ARCHIVE, clock=frozen_clock(now))
    assert [file.file for file in find_files(landing, known={})] == ["dt=2026-11-22/hh=05/s.ndjson"]


def test_a_pack_that_finds_no_room_leaves_nothing_behind(landing: Path, loaded: set[str], now: datetime) -> None:
    """What it had written would take the room that deliveries need, once more with each run."""
    (landing / "x.json").write_text(f'"{os.urandom(300_000).hex()}"')
    loaded |= {file.file_id for file in find_files(landing, known={})}
    archive = landing / layout.ARCHIVE_FOLDER
    archive.mkdir()
    (archive / ".20261122T061544.123456Z-1f2e3d4c.tar.zst").write_bytes(b"of a run that was killed")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
        with pytest.raises(LandingError, match="File too large"):
            put_away(landing, loaded_ids=loaded, how=archiving.COMPACT, clock=frozen_clock(now))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert [path.name for path in archive.iterdir()] == ["loose"]
    assert put_away(landing, loaded_ids=loaded, how=archiving.COMPACT, clock=frozen_clock(now)).pack is not None


def test_a_link_is_never_put_away(landing: Path, tmp_path: Path, now: datetime) -> None:
    """It was named as unreadable, not read."""
    (landing / "link.json").symlink_to(tmp_path / "anything")
    ids = {file.file_id for file in find_files(landing, known={})}
    put_away(landing, loaded_ids=ids, how=archiving.ARCHIVE, clock=frozen_clock(now))
    assert (landing / "link.json").is_symlink()
