"""`marts.fct_progress`: one row per registration, where it stands by both witnesses together."""

from typing import Any

from tests.models.play import DAY, FIRST_DAY, HOUR, NO_WATERMARK, Raw, record

DATE = "2026-01-02T09:00:00"
CODE = "1b50007d-5d2f-4832-a5f5-646690045e2a"


def standing(raw: Raw) -> dict[str, Any]:
    """Give the row of the only registration."""
    raw.make("marts.fct_progress", stand_ins=NO_WATERMARK)
    return raw.one("from marts.fct_progress")


def test_golden_rows(raw: Raw) -> None:
    """Three registrations: one told by both, one by the API alone, one by the webhook alone."""
    raw.told_by_api(
        FIRST_DAY + DAY,
        record(transaction_id=1, registration="r-1", progress=0),
        record(transaction_id=2, registration="r-1", progress=100, date_completed=DATE, completion_code=CODE),
        record(transaction_id=3, registration="r-2", progress="9.09", member_identifier="", email="Bo@X.example"),
    )
    raw.told_by_webhook(FIRST_DAY + 9 * HOUR, "started", record(transaction_id=1, registration="r-1", progress=0))
    raw.told_by_webhook(
        FIRST_DAY + 20 * HOUR,
        "started",
        record(transaction_id=4, registration="r-3", progress=0, member_identifier=None, email=None, date_started=None),
    )
    raw.make("marts.fct_progress", stand_ins=NO_WATERMARK)
    rows = raw.values(
        "select registration_id, learner_id, activity_id, activity_title, first_name, last_name, email, started_at,"
        " progress_percent, is_completed, completed_at, completion_code, transaction_id, transaction_count,"
        " told_last_by, told_by_api, told_by_webhook, first_told_at from marts.fct_progress order by registration_id"
    )
    shared = ("https://example.invalid/a", "Algebra", "Ada", "Byron")
    started_at, completed_at = FIRST_DAY + 8 * HOUR, FIRST_DAY + DAY + 9 * HOUR
    assert rows == [
        (
            *("r-1", "100", *shared, "ada@example.invalid", started_at, 100.0, True, completed_at, CODE),
            *(2, 2, "api", True, True, FIRST_DAY + 9 * HOUR),
        ),
        (
            *("r-2", "bo@x.example", *shared, "Bo@X.example", started_at, 9.09, False, None, None),
            *(3, 1, "api", True, False, FIRST_DAY + DAY),
        ),
        (
            *("r-3", "registration:r-3", *shared, None, None, 0.0, False, None, None),
            *(4, 1, "webhook", False, True, FIRST_DAY + 20 * HOUR),
        ),
    ]


def test_progress_of_100_alone_is_no_completion(raw: Raw) -> None:
    """Real learners reach 100 and do not complete."""
    raw.told_by_api(FIRST_DAY + DAY, record(progress=100))
    assert standing(raw)["is_completed"] is False


def test_an_update_of_kind_completion_is_a_completion_without_date_and_code(raw: Raw) -> None:
    """The vendor says so by the list that it stands in."""
    raw.begin_load(FIRST_DAY + DAY)
    raw.told_by_webhook(FIRST_DAY + HOUR, "completion", record(progress=100))
    row = standing(raw)
    assert (row["is_completed"], row["completed_at"], row["told_last_by"]) == (True, None, "webhook")


def test_the_greater_transaction_id_says_where_a_registration_stands(raw: Raw) -> None:
    """With a transaction per update the order of arrival says nothing."""
    raw.told_by_api(FIRST_DAY + DAY, record(transaction_id=9, progress=80))
    raw.told_by_api(FIRST_DAY + 2 * DAY, record(transaction_id=8, progress=40))
    assert standing(raw)["progress_percent"] == 80


def test_a_restart_under_a_new_transaction_stands(raw: Raw) -> None:
    """A later transaction is believed even where it is lower; the completion before it stays told."""
    raw.told_by_api(
        FIRST_DAY + DAY,
        record(transaction_id=8, progress=100, date_completed=DATE, completion_code=CODE),
        record(transaction_id=9, progress=10),
    )
    row = standing(raw)
    assert (row["progress_percent"], row["is_completed"], row["completion_code"]) == (10, True, CODE)


def test_a_completion_under_the_smaller_of_two_ids_is_not_lost(raw: Raw) -> None:
    """Some vendors number the completion before the progress of 100 that goes with it."""
    raw.told_by_api(
        FIRST_DAY + DAY,
        record(transaction_id=8, progress=100, date_completed=DATE, completion_code=CODE),
        record(transaction_id=9, progress=100),
    )
    assert standing(raw)["is_completed"] is True


def test_a_stale_delivery_that_arrives_last_changes_nothing(raw: Raw) -> None:
    """One transaction updated in place: 40 arrives after 80, and after the API showed 80."""
    raw.told_by_api(FIRST_DAY + DAY, record(progress=80))
    raw.told_by_webhook(FIRST_DAY + 2 * HOUR, "progressed", record(progress=80))
    raw.begin_load(FIRST_DAY + 3 * DAY)
    raw.told_by_webhook(FIRST_DAY + 2 * DAY, "progressed", record(progress=40))
    row = standing(raw)
    assert (row["progress_percent"], row["told_last_by"]) == (80, "api")


def test_what_the_webhook_told_further_stands_before_the_api_shows_it(raw: Raw) -> None:
    """The API was asked before the change; the push came after."""
    raw.told_by_api(FIRST_DAY + DAY, record(progress=40))
    raw.begin_load(FIRST_DAY + DAY + HOUR)
    raw.told_by_webhook(FIRST_DAY + DAY + HOUR, "progressed", record(progress=60))
    row = standing(raw)
    assert (row["progress_percent"], row["told_last_by"]) == (60, "webhook")


def test_the_api_is_believed_when_it_shows_less_than_it_did(raw: Raw) -> None:
    """A restart or a correction in place: the newest answer stands, though the webhook once told more."""
    raw.told_by_api(FIRST_DAY + DAY, record(progress=80))
    raw.told_by_webhook(FIRST_DAY + 2 * HOUR, "progressed", record(progress=80))
    raw.told_by_api(FIRST_DAY + 2 * DAY, record(progress=20))
    assert standing(raw)["progress_percent"] == 20


def test_names_are_those_told_last(raw: Raw) -> None:
    """The API's newest version carries the new name."""
    raw.told_by_api(FIRST_DAY + DAY, record(progress=40))
    raw.told_by_api(FIRST_DAY + 2 * DAY, record(progress=40, last_name="Lovelace"))
    assert standing(raw)["last_name"] == "Lovelace"


def test_a_value_that_one_witness_leaves_out_comes_from_the_other(raw: Raw) -> None:
    """The API knows no member identifier here, the webhook does."""
    raw.told_by_api(FIRST_DAY + DAY, record(member_identifier=None))
    raw.told_by_webhook(FIRST_DAY + 9 * HOUR, "started", record(member_identifier="77"))
    assert standing(raw)["learner_id"] == "77"


def test_a_row_says_whether_it_lies_below_the_watermark(raw: Raw) -> None:
    """What was told before the settle time does, what was told since does not."""
    for number, hours in ((1, 10), (2, 23.5)):
        one = record(transaction_id=number, registration=f"r-{number}", progress=50)
        raw.begin_load(FIRST_DAY + DAY) if number == 1 else None
        raw.told_by_webhook(FIRST_DAY + hours * HOUR, "progressed", one)
        raw.call("daily", FIRST_DAY, FIRST_DAY + DAY, FIRST_DAY + DAY, [one])
    raw.window("daily", FIRST_DAY, FIRST_DAY + DAY, FIRST_DAY + DAY)
    raw.make("marts.fct_progress")
    rows = raw.values("select registration_id, is_below_watermark from marts.fct_progress order by all")
    assert rows == [("r-1", True), ("r-2", False)]


def test_where_each_update_has_its_transaction_the_api_is_believed_about_it(raw: Raw) -> None:
    """60 by push and 50 by answer under one id of many: not news, but a contradiction."""
    raw.told_by_api(FIRST_DAY + DAY, record(transaction_id=1, progress=0), record(transaction_id=2, progress=50))
    raw.told_by_webhook(FIRST_DAY + 9 * HOUR, "progressed", record(transaction_id=2, progress=60))
    row = standing(raw)
    assert (row["progress_percent"], row["told_last_by"]) == (50, "api")
