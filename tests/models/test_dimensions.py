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
