"""`marts.dim_learners`, `marts.dim_activities` and `marts.agg_activity_daily`."""

import pytest

from tests.models.play import DAY, FIRST_DAY, HOUR, Raw, record


@pytest.fixture
def told(raw: Raw) -> Raw:
    """Two learners, one with two registrations and a new name; an activity that was renamed."""
    raw.told_by_api(
        FIRST_DAY + 4 * DAY,
        record(transaction_id=1, registration="r-1", progress=0),
        record(transaction_id=2, registration="r-1", progress=40),
        record(
            transaction_id=3,
            registration="r-2",
            last_name="Lovelace",
            activity_id="https://example.invalid/b",
            activity_title="Biology",
            progress=100,
            date_started="2026-01-02T08:00:00",
            date_completed="2026-01-03T08:00:00",
        ),
        record(
            transaction_id=4,
            registration="r-3",
            member_identifier=None,
            first_name="Bo",
            email="Bo@X.example",
            activity_title="Algebra II",
            progress=0,
            date_started="2026-01-03T08:00:00",
        ),
    )
    raw.told_by_webhook(FIRST_DAY + 30 * HOUR, "progressed", record(transaction_id=2, registration="r-1", progress=40))
    raw.make("marts.dim_learners", "marts.dim_activities", "marts.agg_activity_daily")
    return raw


def test_a_learner_is_one_row_with_the_name_told_last(told: Raw) -> None:
    """Known by the member identifier, else by the e-mail address in lower case."""
    sql = (
        "select learner_id, member_identifier, first_name, last_name, email, registration_count, completed_count,"
        " first_started_at from marts.dim_learners order by learner_id"
    )
    assert told.values(sql) == [
        ("100", "100", "Ada", "Lovelace", "ada@example.invalid", 2, 1, FIRST_DAY + 8 * HOUR),
        ("bo@x.example", None, "Bo", "Byron", "Bo@X.example", 1, 0, FIRST_DAY + 2 * DAY + 8 * HOUR),
    ]


def test_an_activity_is_one_row_with_the_title_told_last(told: Raw) -> None:
    """Its IRI names it, whatever it is called."""
    sql = (
        "select activity_id, activity_title, title_count, registration_count, learner_count, completed_count"
        " from marts.dim_activities order by activity_id"
    )
    assert told.values(sql) == [
        ("https://example.invalid/a", "Algebra II", 2, 2, 2, 0),
        ("https://example.invalid/b", "Biology", 1, 1, 1, 1),
    ]


def test_a_day_counts_what_happened_on_it(told: Raw) -> None:
    """Starts and completions by the vendor's dates, steps by when they were told first."""
    sql = (
        "select right(activity_id, 1), cast(activity_day as varchar), started_count, progressed_count, completed_count,"
        " active_learner_count from marts.agg_activity_daily order by all"
    )
    assert told.values(sql) == [
        ("a", "2026-01-01", 1, 0, 0, 1),
        ("a", "2026-01-02", 0, 1, 0, 1),
        ("a", "2026-01-03", 1, 0, 0, 1),
        ("b", "2026-01-02", 1, 0, 0, 1),
        ("b", "2026-01-03", 0, 0, 1, 1),
    ]


def test_one_person_under_several_spellings_is_one_row_and_every_spelling_is_kept(raw: Raw) -> None:
    """With a member identifier whatever the address; without one by the address, in whichever case."""
    raw.told_by_api(
        FIRST_DAY + DAY,
        record(transaction_id=1, first_name="ADA", last_name="BYRON", email="ADA@example.invalid"),
        record(transaction_id=2, registration="r-2", first_name="Bo", member_identifier="", email="Bo@X.example"),
    )
    raw.told_by_api(
        FIRST_DAY + 2 * DAY,
        record(transaction_id=3, registration="r-3", last_name="Lovelace", email="ada@new.invalid"),
        record(transaction_id=4, registration="r-4", first_name="Bob", member_identifier=None, email="bo@x.example"),
        record(transaction_id=5, registration="r-5", first_name="Cy", member_identifier="7", email="bo@x.example"),
    )
    raw.told_by_webhook(FIRST_DAY + 5 * HOUR, "started", record(transaction_id=3, registration="r-3", last_name=None))
    raw.make("marts.dim_learners_history")
    columns = "learner_id, spelling_number, first_name, last_name, email, is_current, registration_count"
    assert raw.table("marts.dim_learners_history", columns) == [
        ("100", 1, "Ada", "Lovelace", "ada@example.invalid", False, 1),
        ("100", 2, "ADA", "BYRON", "ADA@example.invalid", False, 1),
        ("100", 3, "Ada", "Lovelace", "ada@new.invalid", True, 1),
        ("7", 1, "Cy", "Byron", "bo@x.example", True, 1),
        ("bo@x.example", 1, "Bo", "Byron", "Bo@X.example", False, 1),
        ("bo@x.example", 2, "Bob", "Byron", "bo@x.example", True, 1),
    ]
    assert raw.table("marts.dim_learners", "learner_id, first_name, last_name") == [
        ("100", "Ada", "Lovelace"), ("7", "Cy", "Byron"), ("bo@x.example", "Bob", "Byron"),
    ]  # fmt: skip


def test_what_one_telling_leaves_out_is_no_spelling_of_its_own(raw: Raw) -> None:
    """The push left the address and the last name out; the API tells them."""
    raw.told_by_api(FIRST_DAY + DAY, record(transaction_id=1))
    raw.told_by_webhook(FIRST_DAY + 9 * HOUR, "started", record(transaction_id=1, email="", last_name=None))
    raw.make("marts.dim_learners_history")
    assert raw.table("marts.dim_learners_history", "spelling_number, last_name, email, first_told_at") == [
        (1, "Byron", "ada@example.invalid", FIRST_DAY + 9 * HOUR)
    ]


def test_where_transactions_are_updated_in_place_the_name_told_last_stands(raw: Raw) -> None:
    """The older registration tells the new name, under its old transaction."""
    raw.told_by_api(
        FIRST_DAY + DAY,
        record(transaction_id=1, progress=10, activity_title="Algebra"),
        record(transaction_id=2, registration="r-2", progress=10, activity_title="Algebra"),
    )
    raw.told_by_api(
        FIRST_DAY + 2 * DAY, record(transaction_id=1, progress=20, last_name="Lovelace", activity_title="Algebra II")
    )
    raw.make("marts.dim_learners_history", "marts.dim_activities_history")
    assert raw.values("select last_name from marts.dim_learners") == [("Lovelace",)]
    assert raw.table("marts.dim_learners_history", "last_name, is_current") == [("Byron", False), ("Lovelace", True)]
    titles = "title_number, activity_title, is_current, registration_count"
    assert raw.table("marts.dim_activities_history", titles) == [(1, "Algebra", False, 2), (2, "Algebra II", True, 1)]


def test_a_title_that_the_newest_leaves_out_stays_as_last_told(raw: Raw) -> None:
    """Null says nothing of what an activity is called; one of which no title was ever told has none."""
    untitled = {"activity_id": "https://example.invalid/b", "activity_title": ""}
    raw.told_by_api(
        FIRST_DAY + DAY,
        record(transaction_id=1, registration="r-1"),
        record(transaction_id=2, registration="r-2", activity_title=None),
        record(transaction_id=3, registration="r-3", **untitled),
    )
    raw.make("marts.dim_activities", "marts.dim_activities_history")
    titles = raw.table("marts.dim_activities", "right(activity_id, 1), activity_title, registration_count")
    assert titles == [("a", "Algebra", 2), ("b", None, 1)]
    assert raw.table("marts.dim_activities_history", "activity_title, is_current") == [("Algebra", True)]


def test_a_title_that_comes_back_keeps_its_row(raw: Raw) -> None:
    """Renamed and named back: two titles, the first of them current."""
    for day, title in enumerate(("Algebra", "Maths", "Algebra"), start=1):
        raw.told_by_api(
            FIRST_DAY + day * DAY, record(transaction_id=day, registration=f"r-{day}", activity_title=title)
        )
    raw.make("marts.dim_activities_history")
    assert raw.table("marts.dim_activities_history", "title_number, activity_title, is_current, last_told_at") == [
        (1, "Algebra", True, FIRST_DAY + 3 * DAY), (2, "Maths", False, FIRST_DAY + 2 * DAY),
    ]  # fmt: skip


def test_an_activity_with_a_last_slash_is_the_one_without(raw: Raw) -> None:
    """The vendor's page has the API leave it out and the webhook write it; so may the file of validities."""
    done, at = {"date_completed": "2026-01-01T09:00:00"}, "https://example.invalid/a"
    raw.told_by_api(FIRST_DAY + DAY, record(activity_id=at, **done))
    raw.told_by_webhook(FIRST_DAY + 9 * HOUR, "completion", record(activity_id=f"{at}/", **done))
    pushed = record(transaction_id=2, registration="r-2", activity_id=f"{at}/")
    raw.told_by_webhook(FIRST_DAY + 23 * HOUR, "started", pushed)
    lines = [
        {"position": 0, "activity_id": f"{at}/", "valid_days": 3},
        {"position": 1, "activity_id": at, "valid_days": 9},
    ]
    raw.insert("activity_validities", lines)
    raw.make("marts.dim_activities", "marts.fct_unfinished", "marts.fct_certifications", "audit.gaps")
    assert raw.table("marts.dim_activities", "activity_id, registration_count") == [(at, 2)]
    assert raw.table("marts.fct_unfinished", "registration_id, is_completed_elsewhere") == [("r-2", True)]
    assert raw.table("marts.fct_certifications", "activity_id, valid_days") == [(at, 3)]
    assert "field_mismatch" not in {kind for (kind,) in raw.table("audit.gaps", "kind")}
