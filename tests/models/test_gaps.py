"""`audit.gaps` and `audit.reconciliation`: verdicts by hand, one by one, with their instants and causes."""

import pytest

from tests.models.one_transaction import PULL, TOLD, completed, gaps, mine
from tests.models.play import DAY, FIRST_DAY, HOUR, Raw


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
