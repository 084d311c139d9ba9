"""An answer is read verbatim whatever its form; a broken record costs no other; what is no answer is an error."""

import json
import sys
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from progress_pipeline.errors import UnreadableAnswerError
from progress_pipeline.vendor.records import RECORD_SCHEMA, UPDATE_SCHEMA, read_bundle, read_page

SAMPLE = (
    b'{"transactionId": "9987", "firstName": "Jane", "lastName": "Doe", "email": "jane@x.example",'
    b' "memberIdentifier": null, "activityId": "https://a.example/1", "activityTitle": "One",'
    b' "registration": "80730e35-481a-4132-af54-1b8f4619abb6", "dateStarted": "2018-01-01T00:00:00",'
    b' "progress": 9.09, "dateCompleted": "", "completionCode": "Fake Code"}'
)


def _rows(body: bytes) -> list[dict[str, Any]]:
    page = read_page(body)
    assert page.records.schema == RECORD_SCHEMA
    rows: list[dict[str, Any]] = page.records.to_pylist()
    return rows


def test_a_record_stands_as_it_was_sent() -> None:
    """Texts without their quotes, numbers by their characters, null as null, and an empty text as one."""
    (row,) = _rows(b"[" + SAMPLE + b"]")
    assert row["transaction_id"] == "9987"
    assert (row["progress"], row["member_identifier"], row["date_completed"]) == ("9.09", None, "")
    assert (row["completion_code"], row["extra"], row["position"]) == ("Fake Code", None, 0)


@pytest.mark.parametrize(
    ("body", "count", "envelope"),
    [
        (b"[%b]", None, "array"),
        (b"%b", None, "object"),
        (b'{"count": 7, "rows": [%b]}', 7, "rows"),
        (b'{"count": "7", "rows": [%b]}', 7, "rows"),
        (b'{"rows": [%b], "count": 7, "page": 1}', 7, "rows"),
        (b'{"count": null, "rows": [%b]}', None, "rows"),
        (b'{"count": -1, "rows": [%b]}', None, "rows"),
        (b'{"rows": %b}', None, "rows"),
        (b"\xef\xbb\xbf  [%b] \r\n", None, "array"),
        (b'[%b,, {"transactionId": }]', None, "array"),
    ],
    ids=["array", "object", "rows", "count as text", "other keys", "no count", "odd count", "one row", "BOM", "comma"],
)
def test_any_envelope_gives_the_same_record(body: bytes, count: int | None, envelope: str) -> None:
    """The record and `count`, as far as there is one."""
    page = read_page(body % SAMPLE)
    assert page.records.slice(0, 1).equals(read_page(b"[" + SAMPLE + b"]").records)
    assert (page.count, page.envelope) == (count, envelope)


@pytest.mark.parametrize("body", [b"[]", b"null", b"{}", b'{"count": 0, "rows": []}', b'{"rows": null}'])
def test_nothing_is_an_empty_page(body: bytes) -> None:
    """However it is written."""
    page = read_page(body)
    assert page.size == 0
    assert page.records.schema == RECORD_SCHEMA


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"<!doctype html><h1>Log in</h1>",
        b"[" + SAMPLE,
        b"[" + SAMPLE + b", " + SAMPLE[:50],
        b'{"count": 2, "rows": [' + SAMPLE + b"]",
        b'{"count": 2, "rows": [' + SAMPLE,
        b'{"error": "no"}',
        b'"text"',
        b"17",
        b"[" * 100_000,
    ],
    ids=["empty", "blank", "HTML", "cut", "cut record", "cut envelope", "cut rows", "error", "text", "number", "deep"],
)
def test_what_is_no_answer_is_an_error_and_never_an_empty_page(body: bytes) -> None:
    """A body that stops in the middle lacks nobody knows what."""
    with pytest.raises(UnreadableAnswerError):
        read_page(body)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b'{"firstName": "Jane"}', "no transactionId"),
        (b'{"transactionId": "  "}', "no transactionId"),
        (b'{"transactionId": null}', "no transactionId"),
        (b'{"transactionId": [1]}', "transactionId is neither a number nor a text"),
        (b'{"transactionId": true}', "transactionId is neither a number nor a text"),
        (b"17", "not an object"),
        (b"[1]", "not an object"),
        (b'{"transactionId": 1, "progress": 5, "progress": 6}', "progress stands in it twice"),
        (b'{"transactionId": 1 "progress": 5}', "not JSON"),
        (b'{"transactionId": 1, "firstName": "\xff"}', "not UTF-8"),
    ],
)
def test_a_broken_record_is_rejected_with_its_reason_and_costs_no_other(broken: bytes, reason: str) -> None:
    """Its neighbours come, with their own places; what was sent is kept."""
    page = read_page(b"[" + SAMPLE + b"," + broken + b"," + SAMPLE + b"]")
    assert page.records["position"].to_pylist() == [0, 2]
    (reject,) = page.rejects
    assert reject.position == 1
    assert reason in reject.reason
    assert (
        reject.raw_text.encode("ascii", "backslashreplace")[:10]
        == broken.decode(errors="backslashreplace").encode()[:10]
    )
    assert page.size == 3


def test_unknown_keys_are_kept() -> None:
    """In one order, without blanks, their values by their characters."""
    rows = _rows(b'[{"transactionId": 1, "b": {"y": 1.0, "x": [ 1, "\\u00e9" ]}, "a": null}, {"transactionId": 1}]')
    assert rows[0]["extra"] == '{"a":null,"b":{"x":[1,"é"],"y":1.0}}'
    assert rows[1]["extra"] is None


def test_the_order_of_keys_and_blanks_change_nothing() -> None:
    """Two ways of writing one record come to the same."""
    one, other = _rows(b'[{"transactionId": 1, "x": {"a": 1, "b": 2}}, {"x":{"b":2,"a":1}, "transactionId":1}]')
    assert one | {"position": 1} == other


def test_the_same_key_twice_with_the_same_value_is_one() -> None:
    """It says nothing that contradicts itself."""
    (row,) = _rows(b'[{"transactionId": 1, "progress": 5, "progress": 5}]')
    assert row["progress"] == "5"


def test_half_a_surrogate_pair_stays_as_it_was_written() -> None:
    """Names cut to 100 UTF-16 units end so; whole pairs and escapes are read."""
    (row,) = _rows(rb'[{"transactionId": 1, "firstName": "Zo\u00eb \ud83d", "lastName": "\ud83d\ude00 \\ud83d"}]')
    assert row["first_name"] == r"Zoë \ud83d"
    assert row["last_name"] == r"😀 \ud83d"


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.text(max_size=8), st.lists(st.integers(), max_size=2)
)
RECORDS = st.dictionaries(
    st.sampled_from(["firstName", "lastName", "progress", "dateStarted", "completionCode", "extra one", "é"]), VALUES
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(RECORDS, st.integers(1, 9)), max_size=4), st.booleans())
def test_both_ways_of_reading_agree(records: list[tuple[dict[str, Any], int]], is_ascii: bool) -> None:
    """A list read at once gives the rows that its records give one by one."""
    bodies = [json.dumps({"transactionId": number} | one, ensure_ascii=is_ascii).encode() for one, number in records]
    together = read_page(b"[" + b",".join(bodies) + b"]")
    alone = [read_page(body).records.to_pylist()[0] for body in bodies]
    assert not together.rejects
    assert [row | {"position": 0} for row in together.records.to_pylist()] == alone


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    """A page or an error of ours, for an answer and for a delivery; nothing else."""
    for read in (read_page, read_bundle):
        with suppress(UnreadableAnswerError):
            read(body)


def test_a_delivery_gives_its_updates_by_kind_and_names_what_it_cannot_place() -> None:
    """The three lists in their order, places over the whole delivery; a part that nobody knows is rejected."""
    bundle = read_bundle(
        b'{"started": [{"transactionId": 1}], "progressed": null, "completions": [{"transactionId": 2}, 3], "new": 1}'
    )
    assert bundle.updates.schema == UPDATE_SCHEMA
    assert bundle.updates.select(["transaction_id", "kind", "position"]).to_pylist() == [
        {"transaction_id": "1", "kind": "started", "position": 0},
        {"transaction_id": "2", "kind": "completion", "position": 1},
    ]
    assert [(reject.position, reject.reason) for reject in bundle.rejects] == [
        (2, "not an object"),
        (None, "a bundle has no part 'new'"),
    ]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"progress": 0}, "started"),
        ({"progress": "0.0"}, "started"),
        ({"progress": 40}, "progressed"),
        ({}, "progressed"),
        ({"progress": 100, "dateCompleted": "2017-01-01T00:00:00"}, "completion"),
    ],
)
def test_a_flat_record_of_2017_has_a_kind_and_its_token_is_dropped(fields: dict[str, Any], kind: str) -> None:
    """By its progress and its completion; the token that came in its body is in no column and no message."""
    body = json.dumps({"transactionId": 1, "token": "very-secret"} | fields).encode()
    for delivery in (body, b"[" + body + b"]"):
        assert read_bundle(delivery).updates["kind"].to_pylist() == [kind]
        assert "very-secret" not in str(read_bundle(delivery).updates.to_pylist())
    with pytest.raises(UnreadableAnswerError) as caught:
        read_bundle(body[:-1])
    assert "very-secret" not in str(caught.value)


def test_deep_nesting_costs_one_record_and_not_the_process() -> None:
    """A value nested deeper than any stack is rejected with its record."""
    depth = 10 * sys.getrecursionlimit()
    page = read_page(b'[{"transactionId": 1, "x": ' + b"[" * depth + b"]" * depth + b"}, " + SAMPLE + b"]")
    assert page.records["transaction_id"].to_pylist() == ["9987"]
    assert len(page.rejects) == 1
