"""How far learners come: `marts.fct_unfinished`, `marts.agg_cohorts_weekly` and `marts.agg_activities`."""

from datetime import date
from typing import Any

import pytest

from tests.models.play import DAY, FIRST_DAY, HOUR, Raw, record

AS_OF = "timestamp '2026-02-20 05:00:00'"
NOW = {
    "audit.watermarks": f"select 'completion' as update_kind, {AS_OF} as agreed_until, {AS_OF} as as_of",
}


def told(number: int, learner: str, progress: int, started: str = "", completed: str = "", **more: Any) -> Any:
    """Make a record of a registration of its own, `r-<number>`."""
    plain = {
        "transaction_id": number,
        "registration": f"r-{number}",
        "member_identifier": learner,
        "progress": progress,
        "date_started": started and f"2026-{started}T08:00:00",
        "date_completed": completed and f"2026-{completed}T08:00:00",
        "completion_code": f"1b50007d-5d2f-4832-a5f5-{number:012d}" if completed else "",
    }
    return record(**{**plain, **more})


@pytest.fixture
def played(raw: Raw) -> Raw:
    """Eight registrations of one activity and one of another, each a trap."""
    raw.told_by_api(
        FIRST_DAY + 40 * DAY,
        told(1, "straight through", 100, "01-05", "01-08"),
        told(2, "slow", 100, "01-06", "02-05"),
        told(3, "at 100 without completion", 100, "01-07"),
        told(4, "half way", 50, "01-11"),
        told(5, "never moved", 0, "01-12"),
        told(6, "completed without start", 100, "", "01-14"),
        told(7, "completed, then restarted", 100, "01-12", "01-19"),
        told(8, "completed, then restarted", 5, "02-02"),
        told(9, "straight through", 20, "01-05", activity_id="https://example.invalid/b", activity_title="Biology"),
        told(10, "completed before it started", 100, "01-12", "01-11"),
        told(11, "completed, then from the beginning", 100, "01-13", "01-14"),
        told(12, "completed, then from the beginning", 10, "01-13", registration="r-11"),
    )
    raw.told_by_webhook(FIRST_DAY + 20 * DAY, "progressed", told(4, "half way", 50, "01-11"))
    raw.told_by_webhook(FIRST_DAY + 12 * DAY, "started", told(5, "never moved", 0, "01-12"))
    raw.make("marts.fct_unfinished", "marts.agg_cohorts_weekly", "marts.agg_activities", stand_ins=NOW)
    return raw


def test_unfinished_registrations_tell_since_when_nothing_moved(played: Raw) -> None:
    """A start counts as a move; who completed under another registration is marked; a completion stays one."""
    assert played.table(
        "marts.fct_unfinished",
        "registration_id, learner_id, is_at_100, is_completed_elsewhere, last_moved_at, idle_days",
        "length(registration_id), 1",
    ) == [
        ("r-3", "at 100 without completion", True, False, FIRST_DAY + 40 * DAY, 10),
        ("r-4", "half way", False, False, FIRST_DAY + 20 * DAY, 30),
        ("r-5", "never moved", False, False, FIRST_DAY + 11 * DAY + 8 * HOUR, 39),
        ("r-8", "completed, then restarted", False, True, FIRST_DAY + 40 * DAY, 10),
        ("r-9", "straight through", False, False, FIRST_DAY + 40 * DAY, 10),
    ]


def test_a_cohort_is_the_week_of_the_start(played: Raw) -> None:
    """Monday begins it; each step holds all who came so far; a restart after a completion takes nothing back."""
    assert played.table(
        "marts.agg_cohorts_weekly",
        "right(activity_id, 1), cohort_week, registration_count, learner_count, moved_count, half_way_count,"
        " at_100_count, completed_count, completed_in_7_days_count, completed_in_28_days_count, is_28_days_old",
    ) == [
        ("a", date(2026, 1, 5), 4, 4, 4, 4, 3, 2, 1, 1, True),
        ("a", date(2026, 1, 12), 5, 5, 4, 4, 4, 4, 2, 2, True),
        ("a", date(2026, 2, 2), 1, 1, 1, 0, 0, 0, 0, 0, False),
        ("b", date(2026, 1, 5), 1, 1, 1, 0, 0, 0, 0, 0, True),
    ]


def test_an_activity_tells_its_rates_its_times_and_who_waits(played: Raw) -> None:
    """3, 30, 7 and 1 days: half within 5, nine in ten within 23.1; without start or against time is not timed."""
    row = played.one("from marts.agg_activities where activity_title = 'Algebra'")
    assert {name: value for name, value in row.items() if name not in {"activity_id", "activity_title"}} == {
        "registration_count": 10,
        "learner_count": 9,
        "completed_count": 6,
        "completed_learner_count": 6,
        "completion_rate": 0.6,
        "learner_completion_rate": pytest.approx(6 / 9),
        "without_start_count": 1,
        "timed_count": 4,
        "median_days_to_complete": 5.0,
        "p90_days_to_complete": pytest.approx(23.1),
        "waiting_count": 3,
        "at_100_count": 1,
        "idle_14_days_count": 2,
        "idle_30_days_count": 2,
    }


def test_an_activity_that_nobody_completed_has_no_time(played: Raw) -> None:
    """Null, not nought."""
    row = played.one("from marts.agg_activities where activity_title = 'Biology'")
    assert (row["completion_rate"], row["median_days_to_complete"], row["waiting_count"]) == (0.0, None, 1)
