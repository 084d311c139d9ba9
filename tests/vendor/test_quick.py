"""The quick way of reading a list of plain records, against the careful one."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from progress_pipeline.vendor.quick import quick_columns
from progress_pipeline.vendor.verbatim import KEYS, careful_row, hashes

NO_COLON = st.characters(exclude_categories=["Cs"], exclude_characters=":")
TEXTS = st.one_of(
    st.none(), st.text(NO_COLON, max_size=6), st.sampled_from(["null", "a:b", "é", '"', "\\", "2026-01-01T00:00"])
)
NUMBERS = st.one_of(st.none(), st.integers(), st.sampled_from(["7", "null", 9.09]))
RECORDS = st.fixed_dictionaries(
    {"transactionId": st.integers(1, 99)},
    optional={key: NUMBERS if key == "progress" else TEXTS for key in KEYS[1:]},
)


@settings(max_examples=150, deadline=None)
@given(st.lists(RECORDS, max_size=5), st.booleans())
def test_the_quick_way_gives_the_texts_and_hashes_of_the_careful_one(
    records: list[dict[str, object]], is_ascii: bool
) -> None:
    """Nulls, missing keys, escapes and texts that look like something else included."""
    bodies = [json.dumps(record, ensure_ascii=is_ascii).encode() for record in records]
    columns = quick_columns(b"[" + b",".join(bodies) + b"]")
    assert columns is not None
    rows = [careful_row(body) for body in bodies]
    assert list(zip(*(column.to_pylist() for column in columns[:-1]), strict=True)) == rows
    assert columns[-1].to_pylist() == hashes(rows)


def test_the_quick_way_is_left_where_a_record_says_two_things_under_one_key() -> None:
    """So it is where one names no transaction, and where a text that begins with a colon may look like a key's end."""
    assert quick_columns(b'[{"transactionId": 1, "firstName": ":)"}]') is None
    assert quick_columns(b'[{"transactionId": 1, "progress": 1, "progress": 2}]') is None
    assert quick_columns(b'[{"transactionId": 1, "progress" : 1, "progress": 2}]') is None
    assert quick_columns(b'[{"transactionId": 1, "progress"\n\t:1, "progress":2}]') is None
    assert quick_columns(b'[{"transactionId": 1, "activityTitle": "One : two"}]') is not None
    assert quick_columns(b'[{"transactionId": null}]') is None
    assert quick_columns(b'[{"transactionId": ""}]') is None
