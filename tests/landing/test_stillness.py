"""A file that is still being written is left for the next run, and a finished one is not."""

import os
import time
from pathlib import Path

import pytest

from progress_pipeline.landing.finding import find_files


def names(landing: Path) -> list[str]:
    """Name what is found as new."""
    return [file.file for file in find_files(landing, known={})]


def age(path: Path, seconds: float = 60) -> None:
    """Make a file look as if it had been written a while ago."""
    then = time.time() - seconds
    os.utime(path, (then, then))


@pytest.mark.parametrize("name", ["x.json", "x.ndjson"])
def test_a_file_held_open_for_writing_is_left_although_it_is_old_and_whole(landing: Path, name: str) -> None:
    """Whoever holds it may yet add to it."""
    path = landing / name
    with path.open("wb") as stream:
        stream.write(b'{"body": ""}\n')
        stream.flush()
        age(path)
        assert names(landing) == []
    assert names(landing) == [name]


def test_a_file_held_open_for_reading_is_taken(landing: Path) -> None:
    """Other readers are in nobody's way."""
    path = landing / "x.json"
    path.write_bytes(b"{}")
    with path.open("rb"):
        assert names(landing) == ["x.json"]


@pytest.mark.parametrize("content", [b"", b'{"started": [', b'{"a": 1}}', b"\xff"])
def test_a_fresh_body_that_looks_cut_is_given_time(landing: Path, content: bytes) -> None:
    """A writer may open the file anew for each piece; after two seconds it is taken as it is."""
    path = landing / "x.json"
    path.write_bytes(content)
    assert names(landing) == []
    age(path, 3)
    assert names(landing) == ["x.json"]


def test_a_fresh_body_that_is_whole_is_taken_at_once(landing: Path) -> None:
    """Who renames finished files into place loses no run."""
    (landing / "x.json").write_bytes(b'{"started": []}\n')
    assert names(landing) == ["x.json"]


@pytest.mark.parametrize(("content", "is_taken"), [(b'{"body": ""}\n{"bo', False), (b'{"body": ""}\n', True)])
def test_a_fresh_segment_is_judged_by_its_last_line(landing: Path, content: bytes, is_taken: bool) -> None:
    """A line in the making cuts the file."""
    (landing / "x.ndjson").write_bytes(content)
    assert names(landing) == (["x.ndjson"] if is_taken else [])


def test_a_cut_body_from_the_future_is_not_left_for_ever(landing: Path) -> None:
    """A wrong clock on the sender's machine must not hide a file until that day comes."""
    path = landing / "x.json"
    path.write_bytes(b"{")
    age(path, -86_400)
    assert names(landing) == ["x.json"]
