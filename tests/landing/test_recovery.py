"""After a crash every whole line of an open segment is kept and sealed, and the rest is put aside."""

import fcntl
import os
from datetime import datetime
from pathlib import Path

import pytest

from progress_pipeline.clock import frozen_clock
from progress_pipeline.landing import layout
from progress_pipeline.landing.finding import find_files
from progress_pipeline.landing.reading import LandedDelivery, read_file
from progress_pipeline.landing.recovery import recover


@pytest.fixture
def segment(landing: Path) -> Path:
    """Give the path of an open segment."""
    path = landing / layout.OPEN_FOLDER / "20261123T060000.000000Z-00000000.ndjson"
    path.parent.mkdir()
    return path


def read_ids(landing: Path, now: datetime) -> list[str]:
    """Give the ids of all deliveries that a loader would find."""
    return [
        each.delivery_id
        for file in find_files(landing, known={})
        for each in read_file(landing, file, now=now)
        if isinstance(each, LandedDelivery)
    ]


def torn(landing: Path) -> list[bytes]:
    """Give what was put aside."""
    folder = landing / layout.TORN_FOLDER
    return [path.read_bytes() for path in sorted(folder.iterdir())] if folder.is_dir() else []


def test_a_segment_cut_at_every_byte_recovers_exactly_its_whole_lines(
    landing: Path, segment: Path, three_lines: list[bytes], now: datetime
) -> None:
    """Wherever the crash struck, what was whole is read and the torn tail is aside, byte for byte."""
    content = b"".join(three_lines[:2])
    ends = [0, len(three_lines[0]), len(content)]
    for cut in range(len(content) + 1):
        whole = max(count for count in range(3) if ends[count] <= cut)
        segment.write_bytes(content[:cut])
        (one,) = recover(landing, clock=frozen_clock(now))
        assert (one.line_count, one.torn_bytes) == (whole, cut - ends[whole])
        assert read_ids(landing, now) == [f"id-{number}" for number in range(whole)]
        assert b"".join(torn(landing)) == content[ends[whole] : cut]
        assert list(segment.parent.iterdir()) == []
        for path in (one.sealed, *(landing / layout.TORN_FOLDER).glob("*")):
            if path is not None:
                path.unlink()


@pytest.mark.parametrize("hole", [b"\0" * 5_000, b"\0" * 5_000 + b"\n", b'{"body": "x", "byte_count": 9}\n', b"\xff\n"])
def test_a_hole_in_the_middle_costs_no_line_after_it(
    landing: Path, segment: Path, three_lines: list[bytes], now: datetime, hole: bytes
) -> None:
    """A file system may lose an unsynced write and keep a later one."""
    segment.write_bytes(three_lines[0] + hole + three_lines[1] + three_lines[2])
    recover(landing, clock=frozen_clock(now))
    kept = read_ids(landing, now)
    assert kept[0] == "id-0"
    assert kept[-1] == "id-2"
    assert hole in torn(landing)[0]


def test_a_changed_line_is_put_aside(landing: Path, segment: Path, three_lines: list[bytes], now: datetime) -> None:
    """It is whole JSON, but not what was received."""
    changed = three_lines[0].replace(b"started", b"stopped")
    segment.write_bytes(changed + three_lines[1])
    recover(landing, clock=frozen_clock(now))
    assert read_ids(landing, now) == ["id-1"]
    assert torn(landing) == [changed]


def test_a_segment_that_somebody_writes_is_left_alone(
    landing: Path, segment: Path, three_lines: list[bytes], now: datetime
) -> None:
    """Two receivers may share a folder, and one of them may start while the other writes."""
    segment.write_bytes(three_lines[0])
    descriptor = os.open(segment, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        assert recover(landing, clock=frozen_clock(now)) == []
    finally:
        os.close(descriptor)
    assert segment.exists()
    assert len(recover(landing, clock=frozen_clock(now))) == 1


def test_what_is_recovered_is_named_and_partitioned_by_the_time_of_sealing(
    landing: Path, segment: Path, three_lines: list[bytes], now: datetime
) -> None:
    """Not by that of writing: a reader that looks at new folders only must find it."""
    segment.write_bytes(three_lines[0])
    recover(landing, clock=frozen_clock(now))
    (sealed,) = (landing / "dt=2026-11-23" / "hh=06").iterdir()
    assert sealed.name.startswith("20261123T061544.123456Z-")
    assert sealed.name.endswith(".ndjson")


def test_a_journal_left_open_is_recovered_too(landing: Path, segment: Path, now: datetime) -> None:
    """By its own lines."""
    journal = segment.with_name("20261123T060000.000000Z-00000000.refusals.ndjson")
    journal.write_bytes(b'{"refusal_id":"r","refused_at":"2026-11-23T06:15:44Z"}\n{"refusal_id":"s","ref')
    (one,) = recover(landing, clock=frozen_clock(now))
    assert one.sealed is not None
    assert one.sealed.name.endswith(".refusals.ndjson")
    assert one.line_count == 1


def test_a_folder_without_open_segments_needs_no_recovery(landing: Path, now: datetime) -> None:
    """A first start finds nothing."""
    assert recover(landing, clock=frozen_clock(now)) == []
    (landing / layout.OPEN_FOLDER).mkdir()
    assert recover(landing, clock=frozen_clock(now)) == []
