"""How answers and records are written down: each envelope and each odd value."""

from datetime import timedelta
from typing import Any

import pytest

from progress_pipeline.sandbox.server import Sandbox
from tests.sandbox.conftest import Ask, Rows, Start


def played(start: Start, **switches: Any) -> Sandbox:
    """Start a sandbox and let all of its events happen."""
    sandbox = start(**switches)
    sandbox.clock.move(timedelta(days=31))
    return sandbox


def test_rows_come_with_a_count_of_all_or_of_the_page_or_none(start: Start, ask: Ask) -> None:
    """The envelope of 2017 and after."""
    total = len(played(start).truth.updates())
    for switch, count in (("total", total), ("page", 10), ("missing", None)):
        answer = ask(played(start, count=switch), number=10).json()
        assert (answer.get("count"), len(answer["rows"])) == (count, 10)


def test_rows_come_as_a_bare_array(start: Start, ask: Ask, rows: Rows) -> None:
    """The envelope before 2017; nothing found is an empty array."""
    sandbox = played(start, envelope="array")
    assert ask(sandbox).json() == rows(played(start))
    assert ask(sandbox, search="no such thing").json() == []


def test_one_record_comes_as_a_bare_object(start: Start, ask: Ask) -> None:
    """As the page's sample has it; several come as an array."""
    sandbox = played(start, envelope="object")
    several = ask(sandbox, number=2).json()
    assert ask(sandbox, number=1).json() == several[0]
    assert ask(sandbox, number=0).json() == []


def types(records: list[dict[str, Any]], field: str) -> set[type]:
    """Give the types in which a field comes."""
    return {type(record[field]) for record in records}


@pytest.mark.parametrize(("form", "expected"), [("number", {int}), ("string", {str}), ("mixed", {int, str})])
def test_transaction_id_and_progress_are_numbers_or_text_or_both(
    start: Start, rows: Rows, form: str, expected: set[type]
) -> None:
    """Both forms stood in one response in 2017."""
    records = rows(played(start, transaction_id_as=form, progress_as=form))
    assert types(records, "transactionId") == expected
    assert types(records, "progress") == expected


def test_progress_may_be_a_fraction(start: Start, rows: Rows) -> None:
    """Written with a decimal point."""
    assert types(rows(played(start, progress_as="float")), "progress") == {float}


def test_an_absent_value_is_empty_or_null_or_missing(start: Start, rows: Rows) -> None:
    """Or each of these, by row."""
    incomplete = {}
    for form in ("empty", "null", "missing", "mixed"):
        records = [one for one in rows(played(start, absent_as=form)) if one["progress"] < 100]
        incomplete[form] = {record.get("dateCompleted", "missing") for record in records}
    assert incomplete == {"empty": {""}, "null": {None}, "missing": {"missing"}, "mixed": {"", None, "missing"}}


def test_times_come_with_and_without_z_and_fractions(start: Start, rows: Rows) -> None:
    """All name the same instant in UTC."""
    shapes = {
        form: {_shape(one["dateStarted"]) for one in rows(played(start, times_as=form, undated_share=0))}
        for form in ("exact", "plain", "z", "fractions", "fractions_z", "mixed")
    }
    assert shapes == {
        "exact": {(False, False)},
        "plain": {(False, False)},
        "z": {(True, False)},
        "fractions": {(False, True)},
        "fractions_z": {(True, True)},
        "mixed": {(False, False), (True, False), (False, True), (True, True)},
    }


def _shape(text: str) -> tuple[bool, bool]:
    return text.endswith("Z"), "." in text


def test_milliseconds_are_told_as_exactly_as_things_happen(start: Start, rows: Rows) -> None:
    """Written `exact`, no instant is cut."""
    records = rows(played(start, milliseconds=True, undated_share=0))
    assert any("." in record["dateStarted"] for record in records)


@pytest.mark.parametrize(("switch", "expected"), [("given", {True}), ("some", {True, False}), ("absent", {False})])
def test_learners_have_a_number_or_some_or_none(start: Start, rows: Rows, switch: str, expected: set[bool]) -> None:
    """Some customers get no memberIdentifier at all."""
    records = rows(played(start, member_identifier=switch))
    assert {bool(record["memberIdentifier"]) for record in records} == expected


def test_codes_and_registrations_may_be_no_uuids(start: Start, rows: Rows) -> None:
    """As in the vendor's own samples."""
    records = rows(played(start, odd_codes_share=1.0, odd_registrations_share=0.5))
    assert {record["completionCode"] for record in records} == {"", "Fake Code"}
    odd = {record["registration"] for record in records if "u89" in record["registration"]}
    assert 0 < len(odd) < len({record["registration"] for record in records})


def test_unknown_keys_stand_beside_the_twelve(start: Start, rows: Rows) -> None:
    """A number and a nested object."""
    record = rows(played(start, unknown_keys=True))[0]
    assert len(record) == 14
    assert isinstance(record["score"], int)
    assert isinstance(record["department"], dict)


def test_things_that_are_no_record_are_counted_and_paged_as_rows(start: Start, ask: Ask) -> None:
    """Each of several kinds, and the truth knows nothing of them."""
    sandbox = played(start, junk_rows=6)
    answer = ask(sandbox).json()
    junk = [row for row in answer["rows"] if not isinstance(row, dict) or "transactionId" not in row]
    assert len(junk) == 6
    assert answer["count"] == len(answer["rows"]) == len(sandbox.truth.updates()) + 6


def test_no_form_changes_what_is_told(start: Start, rows: Rows) -> None:
    """Mixed forms of everything carry the same values."""
    mixed = played(
        start, transaction_id_as="mixed", progress_as="mixed", absent_as="mixed", times_as="mixed", unknown_keys=True
    )
    plain = rows(played(start), sort="transactionId")
    for odd, record in zip(rows(mixed, sort="transactionId"), plain, strict=True):
        assert int(odd["transactionId"]) == record["transactionId"]
        assert int(odd["progress"]) == record["progress"]
        for field in ("dateStarted", "dateCompleted", "completionCode", "memberIdentifier"):
            assert str(odd.get(field) or "")[:19] == record[field][:19]
