"""The quick way of reading a list of plain records, against the careful one."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from progress_pipeline.vendor.quick import quick_columns, quick_rows
from progress_pipeline.vendor.verbatim import KEYS, careful_row

TEXT = st.characters(exclude_categories=["Cs"])
TEXTS = st.one_of(
    st.none(),
    st.text(TEXT, max_size=6),
    st.sampled_from(["null", "a:b", ":", "é", '"', "\\", '\\"', "2026-01-01T00:00"]),
)
NUMBERS = st.one_of(st.none(), st.integers(), st.sampled_from(["7", "null", 9.09]))
RECORDS = st.fixed_dictionaries(
    {"transactionId": st.integers(1, 99)},
    optional={key: NUMBERS if key == "progress" else TEXTS for key in KEYS[1:]},
)


@settings(max_examples=150, deadline=None)
@given(st.lists(RECORDS, max_size=5), st.booleans())
def test_the_quick_way_gives_the_texts_of_the_careful_one(records: list[dict[str, object]], is_ascii: bool) -> None:
    """Nulls, missing keys, escapes and texts that look like something else included."""
    bodies = [json.dumps(record, ensure_ascii=is_ascii).encode() for record in records]
    columns = quick_columns(b"[" + b",".join(bodies) + b"]")
    assert columns is not None
    rows = [careful_row(body) for body in bodies]
    assert list(zip(*(column.to_pylist() for column in columns), strict=True)) == rows


DOUBLED = (
    b'[{"transactionId": 1, "progress": 1, "progress": 2}]',
    b'[{"transactionId": 1, "progress": 1, "progress": 1}]',
    b'[{"transactionId": 1, "progress" : 1, "progress": "2"}]',
    b'[{"transactionId": 1, "progress"\n\t:1, "progress":2}]',
    b'[{"transactionId": 1, "firstName": null, "firstName": null}]',
    b'[{"transactionId": 1, "firstName": "\\"", "firstN\\u0061me": "\\\\\\""}]',
    b'[{"transactionId": 1, "lastName": "\\\\"}, {"transactionId": 2, "lastName": "\\"", "lastName": "\\\\"}]',
)


@pytest.mark.parametrize("body", DOUBLED)
def test_the_quick_way_is_left_where_a_record_says_two_things_under_one_key(body: bytes) -> None:
    """However its colon stands, whatever is said under it, and whatever quotes texts hold."""
    assert quick_columns(body) is None
    assert quick_rows(b'{"count": 1, "rows": ' + body + b"}") is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"count": 1, "rows": [{"transactionId": 1}], "count": 2}',
        b'{"rows": [{"transactionId": 2}], "rows": [{"transactionId": 1}]}',
        b'{"count": "1", "rows": [{"transactionId": 1}]}',
        b'{"count": 1.0, "rows": [{"transactionId": 1}]}',
        b'{"total": 1, "rows": [{"transactionId": 1}]}',
        b'{"rows": [{"transactionId": 1}], "transactionId": 1}',
        b'{"rows": {"transactionId": 1}}',
        b'{"rows": null}',
        b'{"count": 1}',
    ],
)
def test_the_quick_way_is_left_where_an_envelope_is_not_the_plain_one(body: bytes) -> None:
    """What such an answer means is decided elsewhere."""
    assert quick_rows(body) is None


def test_the_quick_way_reads_an_envelope_as_it_reads_its_list() -> None:
    """With `count` or without it."""
    columns = quick_columns(b'[{"transactionId": 1, "email": "\\""}]')
    assert quick_rows(b'{"rows": [{"transactionId": 1, "email": "\\""}]}') == (columns, None)
    assert quick_rows(b'{"count": 7,\n"rows": [{"transactionId": 1, "email": "\\""}]}') == (columns, 7)


def test_the_quick_way_is_left_where_a_record_names_no_transaction() -> None:
    """The careful way says why it is none."""
    assert quick_columns(b'[{"transactionId": null}]') is None
    assert quick_columns(b'[{"transactionId": ""}]') is None


def test_colons_in_texts_are_no_doubled_keys() -> None:
    """A text may begin with one, or have a blank before it."""
    assert quick_columns(b'[{"transactionId": 1, "firstName": ":)"}]') is not None
    assert quick_columns(b'[{"transactionId": 1, "activityTitle": "One : two"}]') is not None
