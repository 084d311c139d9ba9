"""One small play in which every trap of such data stands once, and what each mart must make of it, made by hand.

The activity `a` is renamed. Ada completes it, begins anew in the same registration and completes again under another
code (r-1). Bo takes it twice, in two registrations, and completes both; his name changes (r-2, r-3). Cy completed
without a start, without a date, and under a time zone by which it is another day (r-4, r-5). Di reached 100 and did not
complete (r-6), Ed never moved (r-7).
"""

from datetime import date, datetime
from typing import Any

import pytest

from tests.models.play import DAY, FIRST_DAY, Raw, record

AS_OF = "timestamp '2026-03-01 05:00:00'"
NOW = {"audit.watermarks": f"select 'completion' as update_kind, {AS_OF} as agreed_until, {AS_OF} as as_of"}
CODE = "1b50007d-5d2f-4832-a5f5-{:012d}"
MARTS = (
    "marts.agg_activities",
    "marts.agg_activity_daily",
    "marts.agg_cohorts_weekly",
    "marts.dim_activities",
    "marts.dim_activities_history",
    "marts.dim_learners_history",
    "marts.dim_validities",
    "marts.fct_certifications",
    "marts.fct_unfinished",
)


def told(number: int, registration: str, learner: str, progress: int, **more: Any) -> dict[str, Any]:
    """Make a record; `done` is its date of completion."""
    done = more.pop("done", "")
    plain = {
        "transaction_id": number,
        "registration": registration,
        "first_name": learner,
        "member_identifier": learner.lower(),
        "email": f"{learner.lower()}@example.invalid",
        "progress": progress,
        "date_started": "2026-01-05T08:00:00",
        "date_completed": done,
        "completion_code": CODE.format(number) if done else "",
    }
    return record(**{**plain, **more})


@pytest.fixture
def played(raw: Raw) -> Raw:
    """The play."""
    at = FIRST_DAY + 55 * DAY
    raw.told_by_api(
        at,
        told(1, "r-1", "Ada", 0),
        told(2, "r-1", "Ada", 100, done="2026-01-06T08:00:00"),
        told(3, "r-1", "Ada", 10),
        told(4, "r-1", "Ada", 100, done="2026-02-10T08:00:00"),
        told(5, "r-2", "Bo", 100, done="2026-01-07T08:00:00"),
        told(6, "r-3", "Bo", 100, done="2026-01-20T08:00:00", date_started="2026-01-19T08:00:00", last_name="Bond"),
        told(7, "r-4", "Cy", 100, done="2026-01-11T20:00:00-08:00", date_started=""),
        told(9, "r-6", "Di", 100),
        told(10, "r-7", "Ed", 0, activity_title="Algebra II", date_started="2026-02-02T01:00:00+02:00"),
    )
    undated = told(8, "r-5", "Cy", 100, date_started="", activity_id="https://example.invalid/b", activity_title="B")
    twice = told(5, "r-2", "Bo", 100, done="2026-01-07T08:00:00")
    for day, kind, one in ((11, "completion", undated), (6, "completion", twice), (7, "completion", twice)):
        raw.told_by_webhook(FIRST_DAY + day * DAY, kind, one)
    raw.insert(
        "activity_validities",
        [
            {"position": 0, "activity_id": "https://example.invalid/a", "valid_days": 30},
            {"position": 1, "activity_id": "*", "valid_months": 2},
        ],
    )
    raw.make(*MARTS, stand_ins=NOW)
    return raw


def day(text: str) -> date:
    """Read a day of 2026."""
    return date.fromisoformat(f"2026-{text}")


def test_certificates(played: Raw) -> None:
    """Completing again renews, in whichever registration; days are UTC's; without a date that of the telling counts."""
    columns = "registration_id, valid_from, valid_until, status, days_left, renewed_on, days_without, is_date_told"
    assert played.table("marts.fct_certifications", columns, "registration_id, valid_from") == [
        ("r-1", day("01-06"), day("02-05"), "renewed", None, day("02-10"), 4, True),
        ("r-1", day("02-10"), day("03-12"), "expiring", 11, None, None, True),
        ("r-2", day("01-07"), day("02-06"), "renewed", None, day("01-20"), 0, True),
        ("r-3", day("01-20"), day("02-19"), "lapsed", -10, None, None, True),
        ("r-4", day("01-12"), day("02-11"), "lapsed", -18, None, None, True),
        ("r-5", day("01-12"), day("03-12"), "expiring", 11, None, None, False),
    ]


def test_days(played: Raw) -> None:
    """A completion told twice is one; a second one is another; restarts are steps; offsets are turned into UTC."""
    columns = "right(activity_id, 1), activity_day, started_count, completed_count, active_learner_count"
    rows = played.table("marts.agg_activity_daily", columns)
    assert [row for row in rows if row[2] or row[3]] == [
        ("a", day("01-05"), 3, 0, 3),
        ("a", day("01-06"), 0, 1, 1),
        ("a", day("01-07"), 0, 1, 1),
        ("a", day("01-12"), 0, 1, 1),
        ("a", day("01-19"), 1, 0, 1),
        ("a", day("01-20"), 0, 1, 1),
        ("a", day("02-01"), 1, 0, 1),
        ("a", day("02-10"), 0, 1, 1),
        ("b", day("01-12"), 0, 1, 1),
    ]


def test_cohorts(played: Raw) -> None:
    """By the Monday of the start in UTC; without a start by that of the completion; each registration once."""
    columns = "right(activity_id, 1), cohort_week, registration_count, learner_count, moved_count, at_100_count"
    columns += ", completed_count, completed_in_7_days_count"
    assert played.table("marts.agg_cohorts_weekly", columns) == [
        ("a", day("01-05"), 3, 3, 3, 3, 2, 1),
        ("a", day("01-12"), 1, 1, 1, 1, 1, 0),
        ("a", day("01-19"), 1, 1, 1, 1, 1, 1),
        ("a", day("01-26"), 1, 1, 0, 0, 0, 0),
        ("b", day("01-12"), 1, 1, 1, 1, 1, 0),
    ]


def test_activities(played: Raw) -> None:
    """Rates by registration and by learner; the newest completion is timed; the newest title stands."""
    columns = "activity_title, registration_count, learner_count, completed_count, completed_learner_count"
    columns += ", without_start_count, timed_count, median_days_to_complete, waiting_count, at_100_count"
    assert played.table("marts.agg_activities", columns, "activity_id") == [
        ("Algebra II", 6, 5, 4, 3, 1, 3, 2.0, 2, 1),
        ("B", 1, 1, 1, 1, 1, 0, None, 0, 0),
    ]


def test_unfinished(played: Raw) -> None:
    """Who is at 100 without a completion waits; who never moved has waited since the start; nobody else does."""
    columns = "registration_id, is_at_100, is_completed_elsewhere, idle_days"
    assert played.table("marts.fct_unfinished", columns) == [("r-6", True, False, 4), ("r-7", False, False, 28)]


def test_histories(played: Raw) -> None:
    """A title and a name that changed stand beside their successors."""
    titles = "right(activity_id, 1), title_number, activity_title, is_current"
    assert played.table("marts.dim_activities_history", titles) == [
        ("a", 1, "Algebra", False), ("a", 2, "Algebra II", True), ("b", 1, "B", True),
    ]  # fmt: skip
    names = "learner_id, spelling_number, last_name, is_current"
    rows = played.table("marts.dim_learners_history", names)
    assert [row for row in rows if row[0] == "bo"] == [("bo", 1, "Byron", False), ("bo", 2, "Bond", True)]
    assert [row[0] for row in rows] == ["ada", "bo", "bo", "cy", "di", "ed"]


def test_validities(played: Raw) -> None:
    """The file as it is now."""
    columns = "activity_id, valid_months, valid_days"
    assert played.table("marts.dim_validities", columns) == [
        ("*", 2, None), ("https://example.invalid/a", None, 30),
    ]  # fmt: skip


def test_the_day_of_a_status_turns_at_midnight_utc(raw: Raw) -> None:
    """One second after midnight a certificate of yesterday has lapsed, wherever its holder is."""
    raw.told_by_api(FIRST_DAY + 55 * DAY, told(1, "r-1", "Ada", 100, done="2026-01-01T00:00:01+00:00"))
    raw.insert("activity_validities", [{"position": 0, "activity_id": "*", "valid_days": 30}])
    later = datetime(2026, 2, 1, 0, 0, 1)  # noqa: DTZ001 - raw instants are UTC without a zone
    now = f"select 'completion' as update_kind, timestamp '{later}' as agreed_until, timestamp '{later}' as as_of"
    raw.make("marts.fct_certifications", stand_ins={"audit.watermarks": now})
    assert raw.table("marts.fct_certifications", "valid_until, status, days_left") == [(day("01-31"), "lapsed", -1)]
