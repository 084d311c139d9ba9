"""`audit.webhook_outages`, `audit.coverage_daily`, `audit.watermarks` and `audit.repairs`, by hand."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.models.play import DAY, FIRST_DAY, HOUR, Raw, record

MINUTE = HOUR / 60
AT = FIRST_DAY + 2 * DAY


def completed(number: int, at: timedelta) -> dict[str, Any]:
    """Make a completion, so long after the first day's beginning."""
    return record(
        transaction_id=number,
        registration=f"r-{number}",
        progress=100,
        date_completed=f"{FIRST_DAY + at:%Y-%m-%dT%H:%M:%S}",
        completion_code=f"1b50007d-5d2f-4832-a5f5-{number:012d}",
    )


@pytest.fixture
def played(raw: Raw) -> Raw:
    """Ten completions, one an hour from 08:30 on the first day; the webhook lost those of 11:30 to 14:30."""
    told = {number: completed(number, (7.5 + number) * HOUR) for number in range(1, 11)}
    raw.told_by_api(AT, *told.values())
    raw.told_by_webhook(FIRST_DAY + HOUR, "started", record(transaction_id=99, registration="r-99", progress=0))
    raw.call("daily", FIRST_DAY, AT, AT, [record(transaction_id=99, registration="r-99", progress=0)])
    for number, one in told.items():
        if number not in {4, 5, 6, 7}:
            raw.told_by_webhook(FIRST_DAY + (7.5 + number) * HOUR + MINUTE, "completion", one)
    return raw


def test_an_outage_is_named_from_to_and_with_what_it_lost(played: Raw) -> None:
    """From the last delivery before the silence to the first after it."""
    played.make("audit.webhook_outages", "audit.gaps")
    told = "started_at, ended_at, is_ongoing, cause, updates_lost, completions_lost, never_told_count, first_seen_at"
    silence = (FIRST_DAY + 10.5 * HOUR + MINUTE, FIRST_DAY + 15.5 * HOUR + MINUTE)
    assert played.table("audit.webhook_outages", told) == [(*silence, False, "sender_silent", 4, 4, 4, AT)]
    causes = played.values("select cause, status, count(*) from audit.gaps group by all")
    assert causes == [("outage", "repaired", 4)]


@pytest.mark.parametrize(("hours", "missing"), [([], None), ([13], None), ([13, 48], 0)])
def test_nobody_knows_what_an_outage_cost_before_the_api_told_of_all_of_it(
    played: Raw, hours: list[int], missing: int | None
) -> None:
    """Nothing is missing of one that its coverage spans; of another, whose time is not all proven, nothing is said."""
    played.connection.execute("delete from raw.api_windows")
    for begin, end in pairwise([0, *hours]):
        played.window("daily", FIRST_DAY + begin * HOUR, FIRST_DAY + end * HOUR, AT)
    played.make("audit.webhook_outages")
    assert played.table("audit.webhook_outages", "updates_lost, still_missing_count") == [(4, missing)]


def test_an_outage_in_which_our_receiver_refused_is_ours(played: Raw) -> None:
    """The receiver's journal says so."""
    played.insert("webhook_refusals", [{"refusal_id": "1", "refused_at": FIRST_DAY + 12 * HOUR, "refusal_count": 9}])
    played.make("audit.webhook_outages", "audit.gaps")
    assert played.table("audit.webhook_outages", "cause, refusal_count") == [("receiver_refusing", 9)]
    assert played.values("select distinct cause from audit.gaps") == [("receiver_refusing",)]


def test_a_silence_that_lasts_is_an_outage_that_lasts(played: Raw) -> None:
    """Three completions after the last delivery."""
    played.told_by_api(AT + DAY, *(completed(number, (38 + number) * HOUR) for number in (11, 12, 13)))
    played.make("audit.webhook_outages")
    last = played.table("audit.webhook_outages", "ended_at, is_ongoing, updates_lost, first_seen_at", "started_at")[-1]
    assert last == (None, True, 3, AT + DAY)


def test_a_broken_webhook_is_told_from_a_quiet_one_by_the_first_hourly_run_that_can_know(raw: Raw) -> None:
    """Quiet all day; three completions from 12:10 on that the API alone tells, the last due at 14:50: said at 15:00."""
    raw.told_by_api(AT, record(progress=0))
    raw.told_by_webhook(FIRST_DAY + HOUR, "started", record(progress=0))
    lost = {number: 2 * DAY + 12 * HOUR + (20 * number - 30) * MINUTE for number in (2, 3, 4)}
    for hour in range(9, 16):
        raw.make("audit.webhook_outages")
        assert raw.table("audit.webhook_outages", "*") == []
        raw.connection.execute(
            "drop schema audit cascade; drop schema intermediate cascade; drop schema staging cascade"
        )
        now = 2 * DAY + hour * HOUR
        told = (completed(number, at) for number, at in lost.items() if now - HOUR < at <= now)
        raw.told_by_api(FIRST_DAY + now, *told)
    raw.make("audit.webhook_outages")
    named = "is_ongoing, cause, updates_lost, first_seen_at, first_lost_at"
    said_at, first_lost_at = AT + 15 * HOUR, AT + 12 * HOUR + 10 * MINUTE
    assert raw.table("audit.webhook_outages", named) == [(True, "sender_silent", 3, said_at, first_lost_at)]


def test_a_quiet_webhook_beside_a_quiet_api_is_no_outage(raw: Raw) -> None:
    """Nobody learned anything for three days."""
    one = record(progress=0)
    raw.told_by_api(AT, one)
    raw.told_by_webhook(FIRST_DAY + HOUR, "started", one)
    raw.told_by_api(AT + 3 * DAY)
    raw.make("audit.webhook_outages")
    assert raw.table("audit.webhook_outages", "*") == []


def test_two_losses_in_a_row_are_single_losses(raw: Raw) -> None:
    """Fewer than three may be chance."""
    told = {number: completed(number, (7.5 + number) * HOUR) for number in range(1, 7)}
    raw.told_by_api(AT, *told.values())
    for number in (1, 2, 5, 6):
        raw.told_by_webhook(FIRST_DAY + (7.5 + number) * HOUR + MINUTE, "completion", told[number])
    raw.make("audit.webhook_outages", "audit.gaps")
    assert raw.table("audit.webhook_outages", "*") == []
    assert raw.values("select cause, count(*) from audit.gaps group by all") == [("lost", 2)]


def test_a_day_is_covered_only_when_windows_hold_all_of_it(raw: Raw) -> None:
    """Two windows that touch hold the first day; a hole of a minute leaves the second open."""
    raw.begin_load(FIRST_DAY + 3 * DAY)
    for start, end in ((0, 12), (12, 30), (30 + 1 / 60, 72)):
        raw.window("daily", FIRST_DAY + start * HOUR, FIRST_DAY + end * HOUR, FIRST_DAY + 3 * DAY)
    raw.make("audit.coverage_daily")
    assert raw.table("audit.coverage_daily", "cast(day_utc as varchar), is_proven_complete, proven_until", "1") == [
        ("2026-01-01", True, FIRST_DAY + DAY),
        ("2026-01-02", False, FIRST_DAY + 30 * HOUR),
        ("2026-01-03", True, FIRST_DAY + 3 * DAY),
        ("2026-01-04", False, None),
    ]


def test_a_window_narrowed_to_a_search_or_not_proven_covers_nothing(raw: Raw) -> None:
    """Only all of a span is coverage."""
    raw.begin_load(FIRST_DAY + DAY)
    raw.window("repair", FIRST_DAY, FIRST_DAY + DAY, FIRST_DAY + DAY, search="r-1")
    raw.window("daily", FIRST_DAY, FIRST_DAY + DAY, FIRST_DAY + DAY, is_complete=False)
    raw.make("audit.coverage_daily")
    assert raw.table("audit.coverage_daily", "is_proven_complete") == [(False,), (False,)]


def test_the_newest_days_stand_there_however_long_ago_the_first_was(raw: Raw) -> None:
    """From the default start in 2000 ten thousand days end in May 2027; what is not covered after them is seen, too."""
    started_at, at = FIRST_DAY.replace(year=2000), FIRST_DAY.replace(year=2027, month=6)
    raw.begin_load(at, start_at=started_at)
    raw.window("daily", started_at, at - DAY, at)
    raw.make("audit.coverage_daily")
    newest = raw.table("audit.coverage_daily", "cast(day_utc as varchar), is_proven_complete", "day_utc desc")[:3]
    assert newest == [("2027-06-01", False), ("2027-05-31", False), ("2027-05-30", True)]


def test_a_day_counts_what_each_witness_told_of_it(played: Raw) -> None:
    """Eleven transactions, four of them told by the API alone."""
    played.make("audit.coverage_daily")
    told = "change_count, api_count, webhook_count, matched_count, missing_on_webhook_count, unresolved_count"
    assert played.table("audit.coverage_daily", told, "day_utc")[0] == (11, 11, 7, 7, 4, 0)


def watermarks(raw: Raw) -> dict[str, tuple[Any, ...]]:
    """Give each kind's watermark, what holds it, and the transaction that does."""
    raw.make("audit.watermarks")
    rows = raw.table("audit.watermarks", "update_kind, agreed_until, held_by, held_by_transaction_id")
    return {row[0]: row[1:] for row in rows}


def test_the_watermark_stands_at_the_settle_time_when_all_agree(played: Raw) -> None:
    """What the outage lost is repaired by the API, so nothing holds it back."""
    assert set(watermarks(played).values()) == {(AT - 2 * HOUR, "the settle time", None)}


def test_a_gap_pins_the_watermark_of_its_kind_to_the_second(played: Raw) -> None:
    """The webhook told a step that the API does not show; starts and completions go on."""
    told_at = FIRST_DAY + 20 * HOUR + 7 * MINUTE
    played.told_by_webhook(told_at, "progressed", record(transaction_id=55, registration="r-55", progress=50))
    at = watermarks(played)
    assert at["progressed"] == (told_at, "a gap", 55)
    assert at["completion"] == at["started"] == (AT - 2 * HOUR, "the settle time", None)


def test_later_success_never_carries_it_over_an_older_hole(played: Raw) -> None:
    """Days of agreement later it stands where it stood; the repair lets it go."""
    told_at = FIRST_DAY + 20 * HOUR
    hole = record(transaction_id=55, registration="r-55", progress=50)
    played.told_by_webhook(told_at, "progressed", hole)
    played.told_by_api(AT + 3 * DAY, completed(12, 3 * DAY))
    played.told_by_webhook(FIRST_DAY + 3 * DAY, "completion", completed(12, 3 * DAY))
    assert watermarks(played)["progressed"] == (told_at, "a gap", 55)
    played.connection.execute(
        "drop schema audit cascade; drop schema intermediate cascade; drop schema staging cascade"
    )
    played.told_by_api(AT + 4 * DAY, hole, purpose="repair")
    assert watermarks(played)["progressed"] == (AT + 4 * DAY - 2 * HOUR, "the settle time", None)


def test_the_watermark_does_not_pass_the_end_of_proven_coverage(played: Raw) -> None:
    """A run a day later that pulled nothing proves nothing."""
    played.begin_load(AT + DAY)
    assert set(watermarks(played).values()) == {(AT, "the end of proven coverage", None)}


def test_without_a_webhook_there_is_no_watermark(raw: Raw) -> None:
    """One witness agrees with nobody."""
    raw.told_by_api(AT, record())
    assert set(watermarks(raw).values()) == {(None, "the webhook has never delivered", None)}


def test_a_repair_says_what_it_was_for_and_what_it_closed(played: Raw) -> None:
    """One search that brought what was missing, one in vain."""
    for number in (55, 56):
        one = record(transaction_id=number, registration=f"r-{number}", progress=50)
        played.told_by_webhook(FIRST_DAY + 20 * HOUR, "progressed", one)
    played.begin_load(AT, purpose="repair")
    for number in (55, 56):
        found = [record(transaction_id=55, registration="r-55", progress=50)] if number == 55 else []
        played.call("repair", FIRST_DAY, AT, AT, found)
        played.window("repair", FIRST_DAY, AT, AT, search=f"r-{number}")
    played.make("audit.repairs")
    assert played.table("audit.repairs", "search, call_count, concerned_gap_count, repaired_gap_count") == [
        ("r-55", 1, 1, 1),
        ("r-56", 1, 1, 0),
    ]
    gaps = played.table("audit.gaps", "kind, registration_id, status, repair_attempt_count, next_repair_at")
    assert [gap[1:] for gap in gaps if gap[0] == "missing_api"] == [
        ("r-55", "repaired", 1, None),
        ("r-56", "open", 1, AT + 6 * HOUR),
    ]
