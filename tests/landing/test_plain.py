"""Lines read together give what each gives alone."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from progress_pipeline.landing import envelopes
from progress_pipeline.landing.finding import LandedFile
from progress_pipeline.landing.lines import Block, split_blocks, split_lines
from progress_pipeline.landing.plain import read_plain
from progress_pipeline.landing.reading import LandedDelivery, Unreadable, read_file

WHOLE = st.builds(
    lambda body, name: envelopes.write_line(body, delivery_id=name, received_at="2026-11-23T06:15:44.5Z")[:-1],
    st.binary(max_size=9) | st.text(max_size=9).map(str.encode),
    st.text(max_size=3),
)
CHANGES: st.SearchStrategy[dict[str, object]] = st.fixed_dictionaries(
    {},
    optional={
        "received_at": st.sampled_from(["2026-11-23T07:15:44+01:00", "2026-11-23T07:15:44", 1_795_000_000, None, "x"]),
        "byte_count": st.sampled_from([1, None, "1"]),
        "sha256": st.sampled_from([None, "ab", 7]),
        "content_type": st.sampled_from([None, "text/plain", 1]),
        "body_base64": st.sampled_from([None, "e30=", "?"]),
        "body": st.sampled_from(["{}", "\ud800", None, {"started": []}, [1, 2]]),
        "delivery_id": st.sampled_from([None, "", 3]),
        "more": st.just(1),
    },
)
CHANGED = st.builds(lambda line, change: json.dumps(json.loads(line) | change).encode(), WHOLE, CHANGES)
LINES = st.lists(WHOLE | CHANGED | st.sampled_from([b"", b"  ", b"{", b"\xff", b"7"]), max_size=10)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LINES)
def test_together_and_alone_give_the_same(landing: Path, now: datetime, lines: list[bytes]) -> None:
    """Whatever stands beside a line changes nothing of it."""

    def read(content: bytes) -> list[object]:
        (landing / "s.ndjson").write_bytes(content)
        return list(read_file(landing, LandedFile("id", "s.ndjson", "segment", len(content), 0), now=now))

    alone = [one for number, line in enumerate(lines) for one in read(b"\n" * number + line)]
    assert [str(each) for each in _undated(read(b"\n".join(lines)))] == [str(each) for each in _undated(alone)]


def _undated(found: list[object]) -> list[object]:
    """Give what was found, less the instants that come from a file written anew each time."""
    return [
        (each.delivery_id, each.line, each.body, each.sha256) if isinstance(each, LandedDelivery) else each
        for each in found
    ]


def test_lines_of_the_receiver_are_read_together(three_lines: list[bytes]) -> None:
    """What is no text stands in base64, and is read alone."""
    read = read_plain(three_lines[0] + three_lines[2])
    assert read is not None
    assert list(read.bodies) == [b'{"started": []}', b""]
    assert read_plain(three_lines[1]) is None


def test_as_many_envelopes_as_lines_are_not_enough(three_lines: list[bytes]) -> None:
    """One that stands over two lines and two that stand in one are left to be read line by line."""
    first, third = three_lines[0][:-1], three_lines[2][:-1]
    assert read_plain(first + b"\n" + third + b"\n") is not None
    assert read_plain(first.replace(b"{", b"{\n", 1) + third + b"\n") is None
    assert read_plain(b"\n" + first + third + b"\n") is None
    assert read_plain(first + b"\r\n" + third + b"\n") is None


@pytest.mark.parametrize(("told", "is_body"), [(b"{}", True), (b"[]", False)])
def test_a_body_that_its_hash_belies_is_read_by_nobody(
    landing: Path, now: datetime, told: bytes, *, is_body: bool
) -> None:
    """As long as it should be, but not the same."""
    line = envelopes.write_line(b"{}", delivery_id="a", received_at="2026-11-23T06:15:44Z").replace(
        b'"{}"', b'"%s"' % told
    )
    (landing / "s.ndjson").write_bytes(line)
    (found,) = read_file(landing, LandedFile("id", "s.ndjson", "segment", len(line), 0), now=now)
    assert isinstance(found, LandedDelivery if is_body else Unreadable)


@pytest.mark.parametrize("size", [1, 3, 7, 1_000])
def test_blocks_hold_the_lines_of_a_stream(tmp_path: Path, size: int) -> None:
    """Blocks of any size give the same lines, numbers and all, as one line after the other."""
    path = tmp_path / "lines"
    path.write_bytes(b"\na\nbc\n\n" + b"x" * 20 + b"\ndefg\n" + b"y" * 20 + b"\nlast")
    with path.open("rb") as stream:
        alone = [(line.number, line.content, line.is_too_long) for line in split_lines(stream, largest=10)]
        stream.seek(0)
        together = []
        for block in split_blocks(stream, size=size, largest=max(size, 10)):
            if isinstance(block, Block):
                lines = block.content.split(b"\n")[:-1]
                together += [(number, line, False) for number, line in enumerate(lines, block.number)]
            else:
                together.append((block.number, block.content, block.is_too_long))
    if size < 20:
        assert together == alone
    else:
        assert [number for number, _, _ in together] == [number for number, _, _ in alone]
