"""`marts.fct_progress_events`: each observed change once, with what was before and the bounds of when."""

from typing import Any

from tests.models.play import DAY, FIRST_DAY, HOUR, PAD, Raw, record

DATE = "2026-01-02T09:00:00"


def events(raw: Raw, columns: str) -> list[tuple[Any, ...]]:
    """Give columns of all events, in order."""
    raw.make("marts.fct_progress_events")
    order = "registration_id, transaction_id, changed_before, progress_percent"
    return raw.table("marts.fct_progress_events", columns, order)


def test_golden_rows(raw: Raw) -> None:
    """A start, a step that the webhook told, a step that only the API told, and a completion."""
    raw.told_by_api(
        FIRST_DAY + DAY,
        record(transaction_id=1, progress=0),
        record(transaction_id=2, progress=30),
        record(transaction_id=3, progress=60),
    )
    raw.told_by_webhook(FIRST_DAY + 12 * HOUR, "progressed", record(transaction_id=2, progress=30))
    raw.told_by_api(FIRST_DAY + 2 * DAY, record(transaction_id=4, progress=100, date_completed=DATE))
    pushed_at = FIRST_DAY + 12 * HOUR
    started_at, completed_at = FIRST_DAY + 8 * HOUR, FIRST_DAY + DAY + 9 * HOUR
    told = (
        "kind, progress_percent_before, progress_percent, is_completed, changed_at, changed_after, changed_before,"
        " dated_by, told_by_api, told_by_webhook"
    )
    assert events(raw, told) == [
        ("started", None, 0.0, False, started_at, started_at, started_at, "started_at", True, False),
        ("progressed", 0.0, 30.0, False, pushed_at, started_at, pushed_at, "webhook", True, True),
        ("progressed", 30.0, 60.0, False, FIRST_DAY + DAY, started_at, FIRST_DAY + DAY, "api", True, False),
        ("completed", 60.0, 100.0, True, completed_at, completed_at, completed_at, "completed_at", True, False),
    ]


def test_a_change_told_by_both_and_twice_is_one(raw: Raw) -> None:
    """Redeliveries and the other witness add nothing."""
    raw.told_by_api(FIRST_DAY + DAY, record(progress=30))
    for hours in (10, 11, 30):
        raw.told_by_webhook(FIRST_DAY + hours * HOUR, "progressed", record(progress=30))
    assert events(raw, "progress_percent, changed_before") == [(30.0, FIRST_DAY + 10 * HOUR)]


def test_late_and_reordered_updates_of_one_transaction_stand_in_their_order(raw: Raw) -> None:
    """60 arrives before 30: the steps are still 30, then 60."""
    raw.begin_load(FIRST_DAY + DAY)
    for hours, progress in ((12, 60), (13, 30)):
        raw.told_by_webhook(FIRST_DAY + hours * HOUR, "progressed", record(progress=progress))
    raw.make("marts.fct_progress_events")
    steps = raw.values("select progress_percent_before, progress_percent from marts.fct_progress_events order by 2")
    assert steps == [(None, 30.0), (30.0, 60.0)]


def test_a_fall_that_the_api_shows_in_place_is_a_change(raw: Raw) -> None:
    """80, then 20, then 50 in one transaction: the steps after the fall are told as such."""
    for day, progress in ((1, 80), (2, 20), (3, 50)):
        raw.told_by_api(FIRST_DAY + day * DAY, record(progress=progress))
    assert events(raw, "progress_percent_before, progress_percent") == [(None, 80.0), (80.0, 20.0), (20.0, 50.0)]


def test_a_transaction_that_changes_no_progress_is_no_change(raw: Raw) -> None:
    """The same state under another id moved nobody."""
    raw.told_by_api(FIRST_DAY + DAY, record(transaction_id=1, progress=30), record(transaction_id=2, progress=30))
    assert events(raw, "transaction_id") == [(1,)]


def test_the_span_asked_for_bounds_a_change_that_has_no_date(raw: Raw) -> None:
    """A change is not before the start of the span whose answer held it."""
    at = FIRST_DAY + 10 * DAY
    raw.begin_load(at)
    raw.call("daily", at - DAY, at, at, [record(progress=30)])
    assert events(raw, "changed_after, changed_before") == [(at - DAY - PAD, at)]


def test_a_later_answer_with_the_same_state_bounds_nothing(raw: Raw) -> None:
    """A month later the name changed: the step was still in the span of the first answer, or before the first push."""
    first, later = FIRST_DAY + 10 * DAY, FIRST_DAY + 40 * DAY
    raw.begin_load(first)
    raw.call("daily", first - DAY, first, first, [record(progress=30)])
    raw.told_by_webhook(first, "progressed", record(registration="r-2", transaction_id=2, progress=30))
    raw.begin_load(later)
    renamed = {"progress": 30, "last_name": "Lovelace"}
    changed = [record(**renamed), record(registration="r-2", transaction_id=2, **renamed)]
    raw.call("daily", later - DAY, later, later, changed)
    assert events(raw, "changed_after, changed_before") == [
        (first - DAY - PAD, first),
        (FIRST_DAY + 8 * HOUR, first),
    ]


def test_a_change_that_the_api_told_first_is_dated_by_the_api(raw: Raw) -> None:
    """The push came a day late, so `changed_at` is the answer's instant, and `dated_by` says so."""
    raw.told_by_api(FIRST_DAY + DAY, record(progress=30))
    raw.begin_load(FIRST_DAY + 3 * DAY)
    raw.told_by_webhook(FIRST_DAY + 2 * DAY, "progressed", record(progress=30))
    assert events(raw, "changed_at, dated_by, told_by_webhook") == [(FIRST_DAY + DAY, "api", True)]
