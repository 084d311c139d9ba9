"""Whole files are read delivery by delivery, and what cannot be read is named."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from progress_pipeline.landing.finding import LARGEST_BODY
from progress_pipeline.landing.lines import split_lines
from progress_pipeline.landing.reading import (
    ChangedError,
    LandedDelivery,
    LandedRefusal,
    Unreadable,
    read_batches,
    read_file,
)
from tests.landing.conftest import found


def test_bodies_are_found_in_any_folder_below(landing: Path, now: datetime) -> None:
    """One delivery's body stands in each `.json`, however deep."""
    (landing / "a" / "b").mkdir(parents=True)
    (landing / "a" / "b" / "one.json").write_bytes(b'{"started":[]}')
    (landing / "TWO.JSON").write_bytes(b"[]")
    deliveries = [delivery for file in found(landing) for delivery in read_file(landing, file, now=now)]
    assert [(each.file, each.line, each.body) for each in deliveries if isinstance(each, LandedDelivery)] == [
        ("TWO.JSON", None, b"[]"),
        ("a/b/one.json", None, b'{"started":[]}'),
    ]


def test_equal_bodies_at_two_paths_are_two_deliveries(landing: Path, now: datetime) -> None:
    """The vendor may say the same twice, and each is a delivery."""
    (landing / "1.json").write_bytes(b"{}")
    (landing / "2.json").write_bytes(b"{}")
    one, two = (next(read_file(landing, file, now=now)) for file in found(landing))
    assert isinstance(one, LandedDelivery)
    assert isinstance(two, LandedDelivery)
    assert one.delivery_id != two.delivery_id
    assert one.sha256 == two.sha256


def test_a_body_was_received_when_its_file_was_written_but_not_after_now(landing: Path, now: datetime) -> None:
    """A file from the future cannot move the run's clock."""
    for name, at in (("past", now - timedelta(days=1)), ("future", now + timedelta(days=1))):
        (landing / f"{name}.json").write_bytes(b"{}")
        os.utime(landing / f"{name}.json", (at.timestamp(), at.timestamp()))
    instants = [
        delivery.received_at
        for file in found(landing)
        for delivery in read_file(landing, file, now=now)
        if isinstance(delivery, LandedDelivery)
    ]
    assert instants == [now, now - timedelta(days=1)]


def test_a_link_is_named_and_not_followed(landing: Path, tmp_path: Path, now: datetime) -> None:
    """Who may write to the folder could otherwise have any file of the machine loaded; a circle would never end."""
    (tmp_path / "secret.json").write_bytes(b'{"secret": 1}')
    (landing / "link.json").symlink_to(tmp_path / "secret.json")
    (landing / "circle").symlink_to(landing)
    (landing / "itself").symlink_to("itself")
    files = found(landing)
    assert [told for file in files for told in read_file(landing, file, now=now)] == [
        Unreadable(name, None, "is a symbolic link, which is not followed", "") for name in ("circle", "link.json")
    ]
    assert found(landing, *files) == []


def test_a_pipe_is_named_and_does_not_hang(landing: Path, now: datetime) -> None:
    """Opening a pipe would wait for ever."""
    os.mkfifo(landing / "pipe.json")
    (file,) = found(landing)
    (unreadable,) = read_file(landing, file, now=now)
    assert isinstance(unreadable, Unreadable)
    assert unreadable.reason == "is not a regular file"


def test_a_name_that_is_no_utf8_is_read_and_stands_as_escapes(landing: Path, now: datetime) -> None:
    """A table's text must be UTF-8; a file name need not be."""
    with open(os.fsencode(landing) + b"/\xff\xfe.json", "wb") as stream:  # noqa: PTH123 (no Path has such a name)
        stream.write(b"{}")
    (file,) = found(landing)
    assert file.file == "\\xff\\xfe.json"
    (delivery,) = read_file(landing, file, now=now)
    assert isinstance(delivery, LandedDelivery)
    assert delivery.body == b"{}"
    assert found(landing, file) == []


def test_a_file_too_large_for_a_delivery_is_named_and_not_read(landing: Path, now: datetime) -> None:
    """A sparse file of a terabyte must cost neither memory nor hours."""
    with (landing / "huge.json").open("wb") as stream:
        stream.truncate(2**40)
    (file,) = found(landing)
    (unreadable,) = read_file(landing, file, now=now)
    assert isinstance(unreadable, Unreadable)
    assert str(LARGEST_BODY) in unreadable.reason


def test_a_segment_gives_its_deliveries_with_their_lines(
    landing: Path, three_lines: list[bytes], now: datetime
) -> None:
    """Each is what was received: id, instant, exact body."""
    (landing / "s.ndjson").write_bytes(b"".join(three_lines))
    (file,) = found(landing)
    deliveries = [each for each in read_file(landing, file, now=now) if isinstance(each, LandedDelivery)]
    assert [(each.delivery_id, each.line, each.body) for each in deliveries] == [
        ("id-0", 1, b'{"started": []}'),
        ("id-1", 2, b"\xff\x00\n"),
        ("id-2", 3, b""),
    ]
    assert deliveries[0].received_at == datetime(2026, 11, 23, 6, 15, 44, 123457, tzinfo=UTC)


def test_a_broken_line_is_named_and_costs_no_other(landing: Path, three_lines: list[bytes], now: datetime) -> None:
    """What stands before and after it is read."""
    (landing / "s.ndjson").write_bytes(three_lines[0] + b'{"torn": \xff\n\n' + three_lines[2][:-1])
    (file,) = found(landing)
    first, broken, last = read_file(landing, file, now=now)
    assert isinstance(first, LandedDelivery)
    assert isinstance(last, LandedDelivery)
    assert isinstance(broken, Unreadable)
    assert (broken.line, broken.raw_text) == (2, '{"torn": \\xff')
    assert last.line == 4


def test_a_line_without_an_envelopes_details_gets_lasting_ones(landing: Path, now: datetime) -> None:
    """Another receiver's lines need only a body; read again, they have the same ids."""
    (landing / "s.jsonl").write_bytes(b'{"body": {"started": []}}\n{"body": {"started": []}}\n')
    (file,) = found(landing)
    once = list(read_file(landing, file, now=now))
    assert once == list(read_file(landing, file, now=now))
    assert len({each.delivery_id for each in once if isinstance(each, LandedDelivery)}) == 2


def test_a_journal_gives_refusals(landing: Path, now: datetime) -> None:
    """It is known by its name."""
    (landing / "x.refusals.ndjson").write_bytes(
        b'{"refusal_id":"r","refused_at":"2026-11-23T06:15:44Z","client":"192.0.2.1","http_status":401,'
        b'"reason":"no token","refusal_count":3}\n{"odd":1}\n'
    )
    (file,) = found(landing)
    refusal, odd = read_file(landing, file, now=now)
    assert file.kind == "journal"
    assert isinstance(refusal, LandedRefusal)
    assert (refusal.client, refusal.http_status, refusal.refusal_count) == ("192.0.2.1", 401, 3)
    assert isinstance(odd, Unreadable)


def test_a_file_that_vanishes_after_it_was_found_is_named(landing: Path, now: datetime) -> None:
    """It stops nothing."""
    (landing / "x.json").write_bytes(b"{}")
    (file,) = found(landing)
    (landing / "x.json").unlink()
    (unreadable,) = read_file(landing, file, now=now)
    assert isinstance(unreadable, Unreadable)


@pytest.mark.parametrize("name", ["x.json", "s.ndjson"])
@pytest.mark.parametrize("then", ["gone", "longer", "as long", "closed"])
def test_what_is_not_any_more_what_was_found_is_not_taken_for_it(
    landing: Path, now: datetime, name: str, then: str
) -> None:
    """Its identity would stand for content that nobody has read, and which is then never read."""
    path = landing / name
    path.write_bytes(b'{"body": "1"}\n')
    (file,) = found(landing)
    if then == "gone":
        path.unlink()
    elif then == "closed":
        path.unlink()
        path.symlink_to(landing)
    else:
        path.write_bytes(b'{"body": "2"}\n' * (2 if then == "longer" else 1))
    with pytest.raises(ChangedError):
        next(read_batches(landing, file, now=now))


def test_a_line_too_long_is_passed_over_without_being_held(tmp_path: Path) -> None:
    """Only its beginning is kept, and the lines after it keep their numbers and places."""
    path = tmp_path / "lines"
    path.write_bytes(b"a\n" + b"x" * 5_000 + b"\nb\nlast")
    with path.open("rb") as stream:
        lines = list(split_lines(stream, largest=1_000))
    assert [(line.number, line.start, line.end, line.is_ended, line.is_too_long) for line in lines] == [
        (1, 0, 2, True, False),
        (2, 2, 5003, True, True),
        (3, 5003, 5005, True, False),
        (4, 5005, 5009, False, False),
    ]
    assert len(lines[1].content) == 1_000


@pytest.mark.parametrize("size", [999, 1_000, 1_001])
def test_a_line_at_the_bound_is_whole(tmp_path: Path, size: int) -> None:
    """The bound counts the line without its newline."""
    path = tmp_path / "lines"
    path.write_bytes(b"x" * size + b"\ny\n")
    with path.open("rb") as stream:
        lines = list(split_lines(stream, largest=1_000))
    assert [line.is_too_long for line in lines] == [size > 1_000, False]
    assert lines[1].content == b"y"
