"""What is appended is durable when `append` returns; of a group that failed, nothing is told as kept."""

import errno
import os
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from progress_pipeline.clock import system_clock
from progress_pipeline.errors import LandingError
from progress_pipeline.landing import layout
from progress_pipeline.landing.writing import ClosedSegment, SegmentWriter


class Writing:
    """A writer, and what it closed."""

    def __init__(self, landing: Path, **bounds: float) -> None:
        self.closed: list[ClosedSegment] = []
        self.writer = SegmentWriter(landing, clock=system_clock, on_closed=self.closed.append, **bounds)  # type: ignore[arg-type]


@pytest.fixture
def writing(landing: Path) -> Iterator[Writing]:
    """Give a writer on the landing folder."""
    made = Writing(landing)
    yield made
    made.writer.close()


def open_files(landing: Path) -> list[Path]:
    """List what stands in the open folder."""
    return sorted((landing / layout.OPEN_FOLDER).iterdir())


def fail_with(number: int) -> Callable[..., None]:
    """Make a system call that fails."""

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def test_lines_stand_in_the_open_segment_when_append_returns(landing: Path, writing: Writing) -> None:
    """One file, line after line."""
    writing.writer.append([b"1\n", b"2\n"])
    writing.writer.append([b"3\n"])
    (path,) = open_files(landing)
    assert path.read_bytes() == b"1\n2\n3\n"


def test_a_new_segment_stands_in_its_folder_for_good_before_its_first_group_is_told_as_kept(
    landing: Path, writing: Writing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file's own sync does not make its name durable; nor is a folder's name durable that a killed process made."""
    (landing / layout.OPEN_FOLDER).mkdir()
    synced: list[tuple[Path, list[str]]] = []

    def note(real: Callable[[int], None]) -> Callable[[int], None]:
        def sync(descriptor: int) -> None:
            path = Path(f"/proc/self/fd/{descriptor}").readlink()
            synced.append((path, [each.name for each in path.iterdir()] if path.is_dir() else []))
            real(descriptor)

        return sync

    with monkeypatch.context() as watched:
        for name in ("fsync", "fdatasync"):
            watched.setattr(os, name, note(getattr(os, name)))
        writing.writer.append([b"1\n"])
    (segment,) = open_files(landing)
    assert synced == [(segment.parent, [segment.name]), (landing, [layout.OPEN_FOLDER]), (segment, [])]


def test_a_folder_whose_name_could_not_be_made_durable_is_made_again(
    landing: Path, writing: Writing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found standing, it would be taken for durable."""
    with monkeypatch.context() as fault:
        fault.setattr(os, "fsync", fail_with(errno.EIO))
        with pytest.raises(LandingError):
            writing.writer.append([b"lost\n"])
    assert not (landing / layout.OPEN_FOLDER).exists()
    writing.writer.append([b"kept\n"])
    assert [path.read_bytes() for path in open_files(landing)] == [b"kept\n"]


def test_a_group_of_more_lines_than_one_call_takes_is_written_whole_and_in_order(
    landing: Path, writing: Writing
) -> None:
    """The kernel takes at most 1,024 pieces in one write."""
    lines = [b"%d\n" % number for number in range(5_000)]
    writing.writer.append(lines)
    (path,) = open_files(landing)
    assert path.read_bytes() == b"".join(lines)


def test_others_see_nothing_of_what_is_landed(landing: Path, writing: Writing) -> None:
    """It holds people's names and addresses."""
    writing.writer.append([b"1\n"])
    (path,) = open_files(landing)
    assert path.stat().st_mode & 0o007 == 0
    assert path.parent.stat().st_mode & 0o007 == 0


def test_a_segment_is_closed_at_its_size(landing: Path) -> None:
    """The next group goes into a new one."""
    writing = Writing(landing, seal_bytes=4)
    writing.writer.append([b"12\n", b"3\n"])
    writing.writer.append([b"4\n"])
    assert len(writing.closed) == 1
    assert writing.closed[0].is_whole
    writing.writer.close()
    assert [each.path.read_bytes() for each in writing.closed] == [b"12\n3\n", b"4\n"]


def test_a_segment_is_due_at_its_age_and_an_empty_writer_never(landing: Path) -> None:
    """Age counts from its first line."""
    writing = Writing(landing, seal_seconds=0.0)
    assert writing.writer.seconds_until_due() is None
    writing.writer.append([b"1\n"])
    assert writing.writer.seconds_until_due() == 0.0
    writing.writer.close()
    assert writing.writer.seconds_until_due() is None


def test_a_failed_sync_cuts_the_segment_back_and_the_next_group_goes_into_a_new_one(
    landing: Path, writing: Writing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The descriptor that failed is never synced again: Linux would report success without having written."""
    writing.writer.append([b"kept\n"])
    descriptors: list[int] = []

    def fail(descriptor: int) -> None:
        descriptors.append(descriptor)
        raise OSError(errno.EIO, "planted")

    with monkeypatch.context() as fault:
        fault.setattr(os, "fdatasync", fail)
        with pytest.raises(LandingError, match="planted"):
            writing.writer.append([b"lost\n"])
    assert [(each.path.read_bytes(), each.is_whole) for each in writing.closed] == [(b"kept\n", False)]
    assert len(descriptors) == 1
    writing.writer.append([b"next\n"])
    assert [path.read_bytes() for path in open_files(landing) if path != writing.closed[0].path] == [b"next\n"]


def test_a_first_group_that_fails_leaves_no_file(
    landing: Path, writing: Writing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that stays full must not fill with empty files."""
    with monkeypatch.context() as fault:
        fault.setattr(os, "fdatasync", fail_with(errno.ENOSPC))
        for _ in range(3):
            with pytest.raises(LandingError, match="No space left"):
                writing.writer.append([b"lost\n"])
    assert open_files(landing) == []
    assert writing.closed == []


def test_a_segment_that_cannot_be_cut_back_is_handed_on_to_be_recovered(
    landing: Path, writing: Writing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a disk turned read-only nothing can be cut; the torn tail is dealt with when it can be written again."""
    writing.writer.append([b"kept\n"])
    with monkeypatch.context() as fault:
        fault.setattr(os, "fdatasync", fail_with(errno.EROFS))
        fault.setattr(os, "ftruncate", fail_with(errno.EROFS))
        with pytest.raises(LandingError):
            writing.writer.append([b"unsure\n"])
    assert [each.is_whole for each in writing.closed] == [False]
    assert open_files(landing) == [writing.closed[0].path]


def test_a_file_system_that_takes_only_part_of_a_write_fails_honestly(writing: Writing) -> None:
    """A real one, by the process's own limit of file size: the part that fitted is cut off again."""
    writing.writer.append([b"x" * 1_000 + b"\n"])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_500, before[1]))
        with pytest.raises(LandingError, match="File too large"):
            writing.writer.append([b"y" * 1_000 + b"\n"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert writing.closed[0].path.read_bytes() == b"x" * 1_000 + b"\n"
    writing.writer.append([b"z\n"])


def test_an_open_segment_that_somebody_deletes_is_no_place_to_write_to(landing: Path, writing: Writing) -> None:
    """Its bytes would be synced, and gone with the descriptor."""
    writing.writer.append([b"1\n"])
    open_files(landing)[0].unlink()
    with pytest.raises(LandingError, match="deleted or moved the open segment"):
        writing.writer.append([b"2\n"])
    writing.writer.append([b"3\n"])
    assert [path.read_bytes() for path in open_files(landing)] == [b"3\n"]


def test_a_landing_folder_that_is_moved_away_is_no_place_to_write_to(
    landing: Path, tmp_path: Path, writing: Writing
) -> None:
    """Nor is one that another was mounted over: its deliveries would be durable where no loader looks."""
    writing.writer.append([b"1\n"])
    away = landing.rename(tmp_path / "away")
    landing.mkdir()
    with pytest.raises(LandingError, match="mounted over"):
        writing.writer.append([b"2\n"])
    writing.writer.append([b"3\n"])
    assert [path.read_bytes() for path in open_files(landing)] == [b"3\n"]
    assert [path.read_bytes() for path in open_files(away)] == [b"1\n"]


def test_a_probe_tells_whether_a_group_would_be_durable(landing: Path, writing: Writing) -> None:
    """It leaves nothing behind; and a file in the folder's place makes it fail until it is gone."""
    writing.writer.probe()
    assert open_files(landing) == []
    (landing / layout.OPEN_FOLDER).rmdir()
    (landing / layout.OPEN_FOLDER).write_bytes(b"")
    with pytest.raises(LandingError, match="Make room"):
        writing.writer.probe()
    with pytest.raises(LandingError):
        writing.writer.append([b"lost\n"])
    (landing / layout.OPEN_FOLDER).unlink()
    writing.writer.append([b"kept\n"])
