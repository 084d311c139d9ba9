"""`audit.gaps` and `audit.reconciliation`: verdicts by hand, one by one, with their instants and causes."""

from datetime import datetime
from hashlib import md5
from typing import Any

import pytest

from tests.models.play import DAY, FIRST_DAY, HOUR, Raw, record

PULL = [FIRST_DAY + day * DAY + 5 * HOUR for day in range(12)]
BEGUN = FIRST_DAY + HOUR
TOLD = FIRST_DAY + DAY + 12 * HOUR


@pytest.fixture
def begun(raw: Raw) -> Raw:
    """A vendor whose webhook has been in use since the first day, pulled once, with nothing amiss."""
    raw.told_by_api(PULL[1], other(1))
    raw.told_by_webhook(BEGUN, "started", other(1))
    return raw


def other(number: int) -> dict[str, Any]:
    """Make the record of a bystander."""
    return record(transaction_id=number, registration=f"r-{number}", date_started=f"{BEGUN:%Y-%m-%dT%H:%M:%S}")


def mine(progress: int = 50, **values: Any) -> dict[str, Any]:
    """Make a record of the transaction that a test is about."""
    return record(**{"transaction_id": 77, "registration": "r-77", "progress": progress, **values})


def completed(at: datetime) -> dict[str, Any]:
    """Make it a completion."""
    return mine(100, date_completed=f"{at:%Y-%m-%dT%H:%M:%S}", completion_code="1b50007d-5d2f-4832-a5f5-646690045e2a")


def gaps(raw: Raw, columns: str = "kind, status, cause, first_seen_at, opened_at, closed_at") -> list[tuple[Any, ...]]:
    """Give columns of all gaps."""
    raw.make("audit.gaps", "audit.reconciliation")
    return raw.table("audit.gaps", columns, "first_seen_at, kind")


def test_told_by_both_is_matched(begun: Raw) -> None:
    """The push came first, the API showed it at the next pull."""
    begun.told_by_api(PULL[2], mine())
    begun.told_by_webhook(TOLD, "progressed", mine())
    assert gaps(begun) == []
    assert begun.table("audit.reconciliation", "transaction_id, verdict, status") == [
        (1, "matched", "matched"),
        (77, "matched", "matched"),
    ]


def test_what_the_webhook_never_told_is_repaired_by_the_call_that_told_it(begun: Raw) -> None:
    """A lost completion: the vendor dates it, so the first run that knows it can judge."""
    begun.told_by_api(PULL[2], completed(TOLD))
    told = "kind, status, cause, update_kind, first_seen_at, due_at, opened_at, closed_at, told_by_call_id"
    assert gaps(begun, told) == [
        ("missing_webhook", "repaired", "lost", "completion", PULL[2], TOLD + 2 * HOUR, PULL[2], PULL[2], 2)
    ]
    assert begun.table("audit.reconciliation", "verdict, status, gap_kind", "transaction_id")[1] == (
        "missing_webhook",
        "repaired",
        "missing_webhook",
    )


def test_a_change_that_nothing_dates_is_suspected_until_the_settle_time_has_passed(begun: Raw) -> None:
    """It may have been a moment before the pull; the push may be on its way."""
    begun.told_by_api(PULL[2], mine())
    assert gaps(begun) == [("missing_webhook", "suspected", "lost", PULL[2], None, None)]


def test_it_opens_at_the_first_run_after_that(begun: Raw) -> None:
    """A run within the settle time opens nothing, the next does."""
    begun.told_by_api(PULL[2], mine())
    begun.begin_load(PULL[2] + HOUR)
    begun.begin_load(PULL[2] + 3 * HOUR)
    begun.begin_load(PULL[3])
    opened_at = PULL[2] + 3 * HOUR
    assert gaps(begun) == [("missing_webhook", "repaired", "lost", PULL[2], opened_at, opened_at)]


def test_to_accept_a_gap_judges_no_other(begun: Raw) -> None:
    """It landed nothing, so it cannot know that a push did not come: the next run opens it, and says so."""
    begun.told_by_api(PULL[2], mine())
    begun.begin_load(PULL[2] + 3 * HOUR, purpose="manual")
    begun.begin_load(PULL[3])
    assert gaps(begun) == [("missing_webhook", "repaired", "lost", PULL[2], PULL[3], PULL[3])]
    assert begun.one("select previous_as_of from intermediate.int_runs_judged") == {"previous_as_of": PULL[2]}


def test_a_push_within_the_settle_time_never_was_a_gap(begun: Raw) -> None:
    """It came an hour after the pull that told it."""
    begun.told_by_api(PULL[2], mine())
    begun.begin_load(PULL[3])
    begun.told_by_webhook(PULL[2] + HOUR, "progressed", mine())
    assert gaps(begun) == []


def test_a_push_after_that_is_late_and_the_gap_stays_on_record(begun: Raw) -> None:
    """Three days late: opened once, closed by the API, its cause now known."""
    begun.told_by_api(PULL[2], mine())
    begun.begin_load(PULL[3])
    begun.begin_load(PULL[5])
    begun.told_by_webhook(PULL[4], "progressed", mine())
    assert gaps(begun, "kind, status, cause, opened_at, late_told_at") == [
        ("missing_webhook", "repaired", "late", PULL[3], PULL[4])
    ]


def test_a_completion_entered_afterwards_gets_its_time_from_when_it_was_told(begun: Raw) -> None:
    """Its date lies before a pull that should have shown it: nobody knows when it was entered."""
    begun.told_by_api(PULL[2])
    begun.told_by_api(PULL[3], completed(TOLD))
    assert gaps(begun, "status, due_at") == [("suspected", PULL[3] + 2 * HOUR)]


def test_what_the_api_does_not_show_opens_at_a_pull_past_it(begun: Raw) -> None:
    """Told at noon; the pull of the next morning did not show it."""
    begun.begin_load(TOLD + 3 * HOUR)
    begun.told_by_webhook(TOLD, "progressed", mine())
    assert gaps(begun) == [("missing_api", "suspected", "never_covered", TOLD, None, None)]


def test_a_pull_that_did_not_show_it_opens_it(begun: Raw) -> None:
    """The same, a proven pull later."""
    begun.begin_load(TOLD + 3 * HOUR)
    begun.told_by_webhook(TOLD, "progressed", mine())
    begun.told_by_api(PULL[2])
    assert gaps(begun) == [("missing_api", "open", "withheld", TOLD, PULL[2], None)]
    assert begun.one("select open_because from audit.gaps")["open_because"].startswith("not asked for yet")


def test_a_pull_that_was_not_proven_opens_nothing(begun: Raw) -> None:
    """It may be in what did not come."""
    begun.begin_load(PULL[2])
    begun.told_by_webhook(TOLD, "progressed", mine())
    begun.call("daily", FIRST_DAY, PULL[2], PULL[2], [])
    begun.window("daily", FIRST_DAY, PULL[2], PULL[2], is_complete=False, proof=None, covered_until=PULL[1])
    assert gaps(begun, "status") == [("suspected",)]


def test_a_pull_within_the_settle_time_of_the_push_opens_nothing(begun: Raw) -> None:
    """The API may need a while to show what it pushed."""
    begun.begin_load(PULL[2])
    begun.told_by_webhook(PULL[2] - HOUR, "progressed", mine())
    begun.told_by_api(PULL[2])
    assert gaps(begun, "status") == [("suspected",)]


def test_a_repair_closes_it_and_the_failure_stays_on_record(begun: Raw) -> None:
    """Found and repaired in one run: opened, closed, and by which call."""
    begun.told_by_api(PULL[2])
    begun.told_by_webhook(TOLD, "progressed", mine())
    begun.begin_load(PULL[2], purpose="repair")
    call_id = begun.call("repair", FIRST_DAY, PULL[2], PULL[2], [mine()])
    begun.window("repair", FIRST_DAY, PULL[2], PULL[2], search="r-77")
    told = "kind, status, opened_at, closed_at, told_by_call_id, repair_attempt_count, is_recovered, open_because"
    assert gaps(begun, told) == [("missing_api", "repaired", PULL[2], PULL[2], call_id, 1, True, None)]
    recovered = begun.table("audit.reconciliation", "is_recovered, recovered_by_call_id", "transaction_id")
    assert recovered == [(False, None), (True, call_id)]


def test_a_repair_in_vain_is_tried_again_with_growing_spacing(begun: Raw) -> None:
    """After 6 hours, then after 12 more, then after 24."""
    begun.told_by_api(PULL[2])
    begun.told_by_webhook(TOLD, "progressed", mine())
    for tries, wait in ((1, 6), (2, 12), (3, 24)):
        at = PULL[2] + tries * DAY
        begun.begin_load(at, purpose="repair")
        begun.call("repair", FIRST_DAY, at, at, [])
        begun.window("repair", FIRST_DAY, at, at, search="r-77")
        assert gaps(begun, "status, repair_attempt_count, next_repair_at") == [("open", tries, at + wait * HOUR)]
        begun.connection.execute(
            "drop schema audit cascade; drop schema marts cascade; drop schema intermediate cascade"
        )
        begun.connection.execute("drop schema staging cascade")


def test_what_is_asked_after_a_repair_does_not_change_the_cause(begun: Raw) -> None:
    """The pull held the push, not its start; so none had asked by that; a search repaired it, and a fill came later."""
    begun.told_by_webhook(TOLD, "progressed", mine())
    begun.begin_load(PULL[2])
    begun.call("daily", TOLD, PULL[2], PULL[2], [])
    begun.window("daily", TOLD - HOUR, PULL[2], PULL[2])
    begun.begin_load(PULL[2], purpose="repair")
    begun.call("repair", FIRST_DAY, PULL[2], PULL[2], [mine()])
    begun.window("repair", FIRST_DAY, PULL[2], PULL[2], search="r-77")
    begun.begin_load(PULL[5], purpose="backfill")
    begun.call("backfill", FIRST_DAY, PULL[5], PULL[5], [])
    begun.window("backfill", FIRST_DAY, PULL[5], PULL[5])
    assert gaps(begun, "kind, status, cause, closed_at") == [("missing_api", "repaired", "never_covered", PULL[2])]


@pytest.mark.parametrize(
    ("proven", "said"),
    [
        (True, "the API was asked for it and does not show it"),
        (False, "the newest repair was not proven: it broke off"),
    ],
)
def test_what_could_not_be_repaired_says_why(begun: Raw, proven: bool, said: str) -> None:
    """Asked in vain, or asked without an answer that proves anything."""
    begun.told_by_api(PULL[2])
    begun.told_by_webhook(TOLD, "progressed", mine())
    begun.begin_load(PULL[3], purpose="repair")
    begun.call("repair", FIRST_DAY, PULL[3], PULL[3], [])
    how = {} if proven else {"is_complete": False, "proof": None, "reason": "it broke off"}
    begun.window("repair", FIRST_DAY, PULL[3], PULL[3], search="r-77", **how)
    assert gaps(begun, "status, open_because, is_recovered") == [("open", said, False)]


def test_what_is_found_in_the_same_run_without_repair_never_was_a_gap(begun: Raw) -> None:
    """The pull by change did not show it, the recheck by start in the same run did."""
    begun.told_by_api(PULL[2])
    begun.told_by_webhook(TOLD, "progressed", mine())
    begun.begin_load(PULL[2])
    begun.call("recheck", FIRST_DAY, PULL[2], PULL[2], [mine()])
    assert gaps(begun) == []


def test_one_transaction_updated_in_place_is_behind(begun: Raw) -> None:
    """The webhook told 40 and lost 80, which the API shows."""
    begun.told_by_api(PULL[2], mine(40))
    begun.told_by_webhook(TOLD, "progressed", mine(40))
    begun.told_by_api(PULL[3], mine(80))
    begun.begin_load(PULL[4])
    assert gaps(begun, "kind, status, opened_at") == [("behind_webhook", "repaired", PULL[4])]


def test_the_api_is_behind_what_the_webhook_told_in_place(begun: Raw) -> None:
    """The API goes on showing 40, though 80 was pushed."""
    begun.told_by_api(PULL[2], mine(40))
    begun.told_by_webhook(TOLD, "progressed", mine(40))
    begun.told_by_api(PULL[3])
    begun.told_by_webhook(TOLD + DAY, "progressed", mine(80))
    assert gaps(begun, "kind, status, opened_at") == [("behind_api", "open", PULL[3])]
    assert begun.table("audit.reconciliation", "verdict", "transaction_id")[1] == ("behind_api",)


def test_repeated_and_reordered_deliveries_are_no_gap(begun: Raw) -> None:
    """In place: 80 arrives twice, and 40 after it."""
    begun.told_by_api(PULL[2], mine(80))
    for minutes, progress in ((0, 80), (1, 80), (2, 40)):
        begun.told_by_webhook(TOLD + minutes * HOUR / 60, "progressed", mine(progress))
    assert gaps(begun) == []


def test_a_later_transaction_stands_for_what_the_api_no_longer_lists(begun: Raw) -> None:
    """A vendor that shows the newest transaction alone never shows 76."""
    begun.told_by_api(PULL[2], mine(80))
    begun.told_by_webhook(TOLD, "progressed", mine(40, transaction_id=76))
    begun.told_by_webhook(TOLD + HOUR, "progressed", mine(80))
    begun.begin_load(PULL[5])
    assert gaps(begun) == []
    assert begun.table("audit.reconciliation", "status", "transaction_id") == [
        ("matched",),
        ("overtaken",),
        ("matched",),
    ]


def test_a_vendor_that_lists_all_transactions_owes_each(begun: Raw) -> None:
    """Once one answer held two of a registration, a later one stands for nothing."""
    begun.told_by_api(PULL[2], mine(80), mine(90, transaction_id=78))
    for number, progress in ((76, 40), (77, 80), (78, 90)):
        begun.told_by_webhook(TOLD, "progressed", mine(progress, transaction_id=number))
    assert gaps(begun, "kind, transaction_id, status") == [("missing_api", 76, "open")]


def test_fields_that_differ_are_named_with_both_values(begun: Raw) -> None:
    """The push tells another first name."""
    begun.told_by_api(PULL[2], mine())
    begun.told_by_webhook(TOLD, "progressed", mine(first_name="Eve", email="ADA@example.invalid"))
    begun.begin_load(PULL[3])
    assert gaps(begun, "kind, status, cause, differing_fields, differing_values, opened_at") == [
        ("field_mismatch", "open", "vendor_contradicts_itself", "first_name", "first_name: Ada / Eve", PULL[3])
    ]


def test_the_same_meaning_in_another_form_is_no_mismatch(begun: Raw) -> None:
    """Times with Z, a fraction, an absent value, a last slash."""
    begun.told_by_api(PULL[2], mine(date_started="2026-01-01T08:00:00.120Z", activity_id="https://x.example/a/"))
    begun.told_by_webhook(TOLD, "progressed", mine(activity_id="https://x.example/a", member_identifier=None))
    begun.begin_load(PULL[3])
    assert gaps(begun) == []


def test_a_name_that_changes_later_is_no_contradiction(begun: Raw) -> None:
    """Both told the old name; the API tells the new one since."""
    begun.told_by_api(PULL[2], mine())
    begun.told_by_webhook(TOLD, "progressed", mine())
    begun.told_by_api(PULL[3], mine(last_name="Lovelace"))
    begun.begin_load(PULL[4])
    assert gaps(begun) == []


def test_a_contradiction_ends_when_both_tell_the_same(begun: Raw) -> None:
    """The API corrects itself two days later."""
    begun.told_by_api(PULL[2], mine(first_name="Eve"))
    begun.told_by_webhook(TOLD, "progressed", mine())
    begun.begin_load(PULL[3])
    begun.told_by_api(PULL[4], mine())
    assert gaps(begun, "kind, status, opened_at, closed_at") == [("field_mismatch", "repaired", PULL[3], PULL[4])]


def test_no_odd_progress_makes_or_unmakes_a_completion(begun: Raw) -> None:
    """1500 without a completion is none; a completion at -5 is one, and no state short of the one at 0."""
    begun.told_by_api(PULL[2], mine(1500), {**completed(TOLD), "transaction_id": "78", "progress": "-5"})
    begun.told_by_webhook(TOLD, "progressed", mine(1500))
    begun.told_by_webhook(TOLD, "completion", {**completed(TOLD), "transaction_id": "78", "progress": "0"})
    assert gaps(begun) == []
    told = "transaction_id, verdict, api_is_completed, webhook_is_completed"
    assert begun.table("audit.reconciliation", told)[1:] == [(77, "matched", False, False), (78, "matched", True, True)]


def test_two_progresses_of_one_update_contradict_each_other(begun: Raw) -> None:
    """With a transaction per update none can be behind: 50 and 60 are two answers to one question."""
    begun.told_by_api(PULL[2], mine(50), mine(70, transaction_id=78))
    begun.told_by_webhook(TOLD, "progressed", mine(60))
    begun.told_by_webhook(TOLD, "progressed", mine(70, transaction_id=78))
    assert gaps(begun, "kind, transaction_id, status, differing_values") == [
        ("field_mismatch", 77, "open", "progress_percent: 50.0 / 60.0")
    ]


def test_without_a_webhook_nothing_is_missing(raw: Raw) -> None:
    """A vendor that never pushed owes no push."""
    raw.told_by_api(PULL[1], mine())
    raw.told_by_api(PULL[2], completed(TOLD))
    raw.begin_load(PULL[5])
    assert gaps(raw) == []
    assert raw.table("audit.reconciliation", "verdict, status") == [("missing_webhook", "before_webhook")]


def test_what_happened_before_the_first_delivery_is_not_owed(begun: Raw) -> None:
    """The webhook witnesses from its first delivery on."""
    begun.told_by_api(PULL[2], mine(0, date_started=f"{FIRST_DAY:%Y-%m-%dT%H:%M:%S}"))
    begun.begin_load(PULL[5])
    assert gaps(begun) == []


def test_a_gap_that_somebody_accepted_is_closed_with_who_and_why(begun: Raw) -> None:
    """By hand, from its id."""
    begun.told_by_api(PULL[2])
    begun.told_by_webhook(TOLD, "progressed", mine())
    begun.begin_load(PULL[3])
    begun.connection.execute(
        "insert into raw.gap_acceptances (gap_id, accepted_at, accepted_by, why, load_number)"
        " select md5('api|77|r-77|50.0'), as_of, 'Ada', 'a test record', load_number from raw.runs where as_of = ?",
        [PULL[3]],
    )
    assert gaps(begun, "status, closed_at, accepted_by, accepted_because") == [
        ("accepted", PULL[3], "Ada", "a test record")
    ]


def test_what_becomes_known_after_an_acceptance_is_a_gap_of_its_own(begun: Raw) -> None:
    """50 was accepted as never shown; the completion that the API withholds afterwards was accepted by nobody."""
    begun.told_by_api(PULL[2])
    begun.told_by_webhook(TOLD, "progressed", mine())
    begun.begin_load(PULL[3])
    begun.begin_load(PULL[3] + HOUR, purpose="manual")
    acceptance = {"gap_id": md5(b"api|77|r-77|50.0", usedforsecurity=False).hexdigest(), "why": "a test record"}
    begun.insert("gap_acceptances", [{**acceptance, "accepted_at": PULL[3] + HOUR, "accepted_by": "Ada"}])
    begun.told_by_api(PULL[4])
    begun.told_by_webhook(PULL[4] - HOUR, "progressed", mine(70))
    begun.told_by_webhook(PULL[4] - HOUR / 2, "completion", completed(PULL[4] - HOUR / 2))
    begun.told_by_api(PULL[5])
    assert gaps(begun, "kind, status, update_kind, first_seen_at, opened_at, closed_at") == [
        ("missing_api", "accepted", "progressed", TOLD, PULL[2], PULL[3] + HOUR),
        ("missing_api", "open", "completion", PULL[4] - HOUR, PULL[5], None),
    ]


def test_a_push_that_could_not_be_read_is_the_cause(begun: Raw) -> None:
    """What was garbled names the registration."""
    begun.told_by_api(PULL[2], completed(TOLD))
    begun.insert(
        "rejects",
        [
            {
                "reject_id": "1",
                "source": "webhook",
                "reason": "no JSON",
                "raw_text": '{"registration": "r-77", …',
                "observed_at": TOLD,
            }
        ],
    )
    assert gaps(begun, "cause") == [("rejected_as_unreadable",)]


def test_a_refusal_at_that_time_is_the_cause(begun: Raw) -> None:
    """Our own receiver sent the push away."""
    begun.told_by_api(PULL[2], completed(TOLD))
    begun.insert("webhook_refusals", [{"refusal_id": "1", "refused_at": TOLD + HOUR / 60, "refusal_count": 4}])
    assert gaps(begun, "cause") == [("receiver_refusing",)]


def test_a_start_dated_after_it_was_told_bounds_no_change(begun: Raw) -> None:
    """Written by a clock eleven hours ahead: the change was still not after the telling."""
    begun.told_by_api(PULL[2])
    begun.told_by_webhook(TOLD, "progressed", mine(date_started=f"{TOLD + 11 * HOUR:%Y-%m-%dT%H:%M:%S}"))
    assert gaps(begun, "changed_after, changed_before") == [(TOLD, TOLD)]


def test_a_start_that_no_pull_held_was_never_covered(begun: Raw) -> None:
    """For all that is known the vendor filters by start, and no pull asked for that day."""
    begun.begin_load(PULL[2])
    begun.told_by_webhook(TOLD, "progressed", mine(date_started="2025-06-01T00:00:00"))
    begun.told_by_api(PULL[2])
    assert gaps(begun, "status, cause") == [("open", "never_covered")]


def test_a_name_that_changed_between_push_and_pull_is_no_contradiction(begun: Raw) -> None:
    """The API told the old name of the registration before; the push still carried it, the next answer no more."""
    begun.told_by_api(PULL[2], mine(20, transaction_id=76))
    begun.told_by_webhook(TOLD, "progressed", mine(20, transaction_id=76))
    begun.told_by_api(PULL[3], mine(last_name="Lovelace"))
    begun.told_by_webhook(TOLD + DAY, "progressed", mine())
    begun.begin_load(PULL[4])
    assert gaps(begun) == []


def test_one_transaction_under_two_registrations_contradicts_itself(begun: Raw) -> None:
    """Each witness owes what the other told."""
    begun.told_by_api(PULL[2], completed(TOLD))
    begun.told_by_webhook(TOLD, "completion", {**completed(TOLD), "registration": "r-78"})
    assert sorted(gaps(begun, "kind, registration_id, cause")) == [
        ("missing_api", "r-78", "vendor_contradicts_itself"),
        ("missing_webhook", "r-77", "vendor_contradicts_itself"),
    ]
