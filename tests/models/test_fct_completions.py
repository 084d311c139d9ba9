"""`marts.fct_completions`: each completion once, whatever was said twice."""

from typing import Any

from tests.models.play import DAY, FIRST_DAY, HOUR, NO_WATERMARK, Raw, record

CODE, OTHER = "1b50007d-5d2f-4832-a5f5-646690045e2a", "2b50007d-5d2f-4832-a5f5-646690045e2a"
DATE, LATER = "2026-01-02T09:00:00", "2026-01-05T09:00:00"


def completed(**values: Any) -> dict[str, Any]:
    """Make a record of a completion."""
    return record(**{"progress": 100, "date_completed": DATE, "completion_code": CODE, **values})


def completions(raw: Raw, columns: str = "completion_id") -> list[tuple[Any, ...]]:
    """Give columns of all completions, in order."""
    raw.make("marts.fct_completions", stand_ins=NO_WATERMARK)
    return raw.table("marts.fct_completions", columns, "completion_id")


def test_golden_rows(raw: Raw) -> None:
    """Told by both, by the API alone without a code, by the webhook alone without a date."""
    raw.told_by_api(
        FIRST_DAY + 2 * DAY,
        completed(transaction_id=1),
        completed(transaction_id=2, registration="r-2", completion_code=""),
        record(transaction_id=3, registration="r-3", progress=100),
    )
    raw.told_by_webhook(FIRST_DAY + 33 * HOUR, "completion", completed(transaction_id=1))
    raw.told_by_webhook(
        FIRST_DAY + 40 * HOUR,
        "completion",
        completed(transaction_id=4, registration="r-4", date_completed="", completion_code=OTHER),
    )
    told = (
        "completion_id, registration_id, learner_id, activity_id, started_at, completed_at, completion_code,"
        " told_by_api, told_by_webhook, first_told_at"
    )
    learner = ("100", "https://example.invalid/a", FIRST_DAY + 8 * HOUR)
    at = FIRST_DAY + DAY + 9 * HOUR
    assert completions(raw, told) == [
        (CODE, "r-1", *learner, at, CODE, True, True, FIRST_DAY + 33 * HOUR),
        (OTHER, "r-4", *learner, None, OTHER, False, True, FIRST_DAY + 40 * HOUR),
        ("registration:r-2", "r-2", *learner, at, None, True, False, FIRST_DAY + 2 * DAY),
    ]


def test_a_code_that_is_no_uuid_names_nothing(raw: Raw) -> None:
    """Two completions with the code `Fake Code` are two."""
    raw.told_by_api(
        FIRST_DAY + 2 * DAY,
        completed(transaction_id=1, completion_code="Fake Code"),
        completed(transaction_id=2, registration="r-2", completion_code="Fake Code"),
    )
    assert completions(raw, "completion_id, completion_code, is_code_shared") == [
        ("registration:r-1", "Fake Code", False),
        ("registration:r-2", "Fake Code", False),
    ]


def test_a_code_that_two_registrations_claim_is_one_completion_each(raw: Raw) -> None:
    """The first keeps the code as its id, the other is named and flagged."""
    raw.told_by_api(
        FIRST_DAY + 6 * DAY,
        completed(transaction_id=1),
        completed(transaction_id=2, registration="r-2", date_completed=LATER),
    )
    assert completions(raw, "completion_id, is_code_shared") == [(CODE, False), (f"{CODE}:r-2", True)]


def test_completing_again_under_another_code_is_another_completion(raw: Raw) -> None:
    """A renewal within one registration."""
    raw.told_by_api(
        FIRST_DAY + 6 * DAY,
        completed(transaction_id=1),
        completed(transaction_id=2, completion_code=OTHER, date_completed=LATER),
    )
    assert completions(raw) == [(CODE,), (OTHER,)]


def test_a_telling_without_code_belongs_to_the_completion_that_has_one(raw: Raw) -> None:
    """The webhook left the code out; it told the same completion."""
    raw.told_by_api(FIRST_DAY + 2 * DAY, completed(transaction_id=1))
    raw.told_by_webhook(FIRST_DAY + 33 * HOUR, "completion", completed(transaction_id=1, completion_code=None))
    assert completions(raw, "completion_id, told_by_webhook") == [(CODE, True)]


def test_a_completion_without_a_start_counts(raw: Raw) -> None:
    """An event attended is one update and no start."""
    raw.told_by_api(FIRST_DAY + 2 * DAY, completed(date_started=""))
    assert completions(raw, "completion_id, started_at") == [(CODE, None)]


def test_two_codes_for_one_transaction_are_one_completion(raw: Raw) -> None:
    """The push tells another code than the API: the API's counts, and it is told by both."""
    raw.told_by_api(FIRST_DAY + 2 * DAY, completed(transaction_id=1))
    raw.told_by_webhook(FIRST_DAY + 33 * HOUR, "completion", completed(transaction_id=1, completion_code=OTHER))
    assert completions(raw, "completion_id, told_by_api, told_by_webhook") == [(CODE, True, True)]
