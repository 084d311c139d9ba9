"""Deliveries read together give what each gives alone."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from progress_pipeline.errors import UnreadableAnswerError
from progress_pipeline.vendor.bundles import Judged, read_bundles
from progress_pipeline.vendor.records import KINDS, Bundle, read_bundle

VALUES = st.one_of(st.none(), st.text(max_size=5), st.integers(), st.booleans(), st.lists(st.integers(), max_size=2))
RECORDS = st.one_of(
    st.fixed_dictionaries({"transactionId": st.integers(1, 99), "email": st.text(max_size=4), "progress": VALUES}),
    st.dictionaries(st.sampled_from(["transactionId", "firstName", "odd", '":']), VALUES, max_size=3),
    st.integers(),
)
PARTS = st.dictionaries(st.sampled_from([*(key for key, _ in KINDS), "token", "new"]), st.lists(RECORDS, max_size=3))
BODIES = st.one_of(
    PARTS.map(lambda parts: json.dumps(parts).encode()),
    PARTS.map(lambda parts: json.dumps(parts, indent=1, separators=(" ,", " : "), ensure_ascii=False).encode()),
    RECORDS.map(lambda record: json.dumps(record).encode()),
    st.binary(max_size=20),
)


def read_alone(body: bytes) -> Bundle | str:
    """Read one delivery, or say why it cannot be read."""
    try:
        return read_bundle(body)
    except UnreadableAnswerError as error:
        return str(error)


@settings(max_examples=200, deadline=None)
@given(st.lists(BODIES, max_size=12))
def test_together_and_alone_give_the_same(bodies: list[bytes]) -> None:
    """Whatever stands beside a delivery changes nothing of it."""
    together = read_bundles(bodies)
    rows: list[dict[str, Any]] = []
    for place, (body, counts) in enumerate(zip(bodies, together.counts.tolist(), strict=True)):
        alone, judged = read_alone(body), together.odd.get(place, Judged())
        if isinstance(alone, str):
            assert (judged.error, sum(counts)) == (alone, 0)
            assert [reject.reason for reject in judged.rejects] == [alone]
            continue
        updates = alone.updates.to_pylist()
        rows += [row | {"body": place} for row in updates]
        assert (judged.error, judged.rejects) == (None, alone.rejects)
        assert counts == [sum(row["kind"] == kind for row in updates) for _, kind in KINDS]
    assert sorted(together.updates.to_pylist(), key=lambda row: (row["body"], row["position"])) == rows


def test_one_odd_delivery_among_many_costs_no_other() -> None:
    """It is found by halving, and read alone."""
    plain = [b'{"started": [{"transactionId": %d}]}' % number for number in range(100)]
    odd = b'{"started": [{"transactionId": "a\\tb", "shoe": 41}, 7]}'
    together = read_bundles([*plain, odd, *plain])
    assert together.updates.num_rows == 201
    assert [(reject.position, reject.reason) for reject in together.odd[100].rejects] == [(1, "not an object")]
    assert together.updates.schema == read_bundles([]).updates.schema


@pytest.mark.parametrize(
    "body",
    [
        b'{"started": [{"transactionId": 1}], "started": [{"transactionId": 2}]}',
        b'{"started" : [{"transactionId": 1}], "started": [{"transactionId": 2}]}',
        b'{"st\\u0061rted": [{"transactionId": 1}], "started": [{"transactionId": 2}]}',
        b'{"started": [], "started": [1], "new": 1}',
    ],
)
def test_a_delivery_that_says_two_things_under_one_key_is_rejected_whole(body: bytes) -> None:
    """Neither the first nor the last is believed, and the raw text is kept."""
    together = read_bundles([body])
    assert together.updates.num_rows == 0
    (reject,) = together.odd[0].rejects
    assert "the key started stands in it twice" in reject.reason
    assert reject.raw_text == body.decode()


@pytest.mark.parametrize("key", ["transactionId", "progress", "email"])
def test_bad_utf8_costs_its_own_record_alone(key: str) -> None:
    """Whether it stands where numbers do or in a text."""
    record = (
        b'{"transactionId": 7, "%s": "\xff"}' % key.encode()
        if key != "transactionId"
        else b'{"%s": "\xff"}' % key.encode()
    )
    plain = b'{"started": [{"transactionId": 1}]}'
    together = read_bundles([plain, b'{"started": [%s, {"transactionId": 2}]}' % record, plain])
    assert together.updates.num_rows == 3
    assert [(reject.position, reject.reason) for reject in together.odd[1].rejects] == [
        (0, "not UTF-8: invalid start byte")
    ]
