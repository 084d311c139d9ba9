"""A body comes back from its line byte for byte, whatever is in it."""

import hashlib
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from progress_pipeline.landing import envelopes

AT = "2026-11-23T06:15:44.123456789Z"


@given(st.one_of(st.binary(), st.text().map(str.encode)))
def test_every_body_comes_back_byte_for_byte_from_one_line(body: bytes) -> None:
    """Text stands as text, other bytes as base64, and neither holds a newline."""
    line = envelopes.write_line(body, delivery_id="x", received_at=AT)
    assert line.index(b"\n") == len(line) - 1
    envelope, read = envelopes.read_line(line[:-1])
    assert read == body
    assert (envelope.delivery_id, envelope.byte_count) == ("x", len(body))


def test_text_stands_readable_and_other_bytes_stand_as_base64() -> None:
    """A person who opens a segment reads the vendor's JSON."""
    assert b'"body":"{}"' in envelopes.write_line(b"{}", delivery_id="x", received_at=AT)
    assert b'"body_base64":"/w=="' in envelopes.write_line(b"\xff", delivery_id="x", received_at=AT)


def test_a_body_of_control_characters_does_not_blow_up_its_line() -> None:
    """Each of them takes six bytes as text; 16 MiB of them must not become 96."""
    line = envelopes.write_line(b"\0" * 100_000, delivery_id="x", received_at=AT)
    assert len(line) < 140_000
    assert envelopes.read_line(line)[1] == b"\0" * 100_000


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"body": 3}',
        b'{"body": null}',
        b'{"body": NaN}',
        b'{"body_base64": "%"}',
        b'{"body": "x"',
        b'{"body": "x", "byte_count": 2}',
        b'{"body": "x", "sha256": "00"}',
        b'{"body": "\xff"}',
        b'{"body": "\\ud800"}',
        b"[" * 100_000,
    ],
)
def test_a_line_that_is_no_whole_envelope_is_refused_with_a_reason(line: bytes) -> None:
    """What was cut, changed or never was an envelope is not taken for a delivery."""
    with pytest.raises(envelopes.EnvelopeError, match=r"."):
        envelopes.read_line(line)
    assert not envelopes.is_envelope(line)


def test_a_body_that_stands_as_an_object_is_taken_as_it_stands() -> None:
    """Another receiver may embed the JSON; its bytes, spaces and key order included, are the body."""
    _, body = envelopes.read_line(b'{"delivery_id": "a", "body": {"b" : 1,  "a": [ ]}}')
    assert body == b'{"b" : 1,  "a": [ ]}'


def test_odd_values_beside_the_body_cost_no_delivery() -> None:
    """What a foreign envelope says of the delivery counts as missing where it cannot be read; the rest counts."""
    envelope, body = envelopes.read_line(
        b'{"delivery_id": 7, "received_at": "soon", "content_type": "text/x", "byte_count": "2", "body": "{}"}'
    )
    assert (envelope.delivery_id, envelope.received_at, envelope.content_type) == (None, None, "text/x")
    assert body == b"{}"


@pytest.mark.parametrize(
    ("given", "instant"),
    [
        ('"2026-11-23T06:15:44.123456789Z"', datetime(2026, 11, 23, 6, 15, 44, 123457, UTC)),
        ('"2026-11-23T07:15:44+01:00"', datetime(2026, 11, 23, 6, 15, 44, tzinfo=UTC)),
        ('"2026-11-23T06:15:44"', datetime(2026, 11, 23, 6, 15, 44, tzinfo=UTC)),
        ("1795414544", datetime(2026, 11, 23, 6, 15, 44, tzinfo=UTC)),
        ("1795414544000", datetime(2026, 11, 23, 6, 15, 44, tzinfo=UTC)),
        ("1795414544000000000", datetime(2026, 11, 23, 6, 15, 44, tzinfo=UTC)),
        ("1e300", None),
        ("null", None),
    ],
)
def test_received_at_is_read_in_each_form_that_a_receiver_may_write(given: str, instant: datetime | None) -> None:
    """Text with or without zone, seconds to nanoseconds; always UTC."""
    envelope, _ = envelopes.read_line(b'{"received_at": %s, "body": ""}' % given.encode())
    assert envelopes.instant_of(envelope.received_at) == instant


def test_a_line_is_plain_json_for_any_reader() -> None:
    """DuckDB's read_ndjson and jq must be able to read a segment."""
    body = "é\u2028\0".encode()
    line = envelopes.write_line(body, delivery_id="x", received_at=AT, content_type="a/b", masked_count=2)
    assert msgspec.json.decode(line) == {
        "delivery_id": "x",
        "received_at": AT,
        "byte_count": 6,
        "sha256": hashlib.sha256(body).hexdigest(),
        "content_type": "a/b",
        "masked_count": 2,
        "body": "é\u2028\0",
    }
