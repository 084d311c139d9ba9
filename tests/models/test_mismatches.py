"""`audit.gaps` where both witnesses told of a transaction: which differing values are a mismatch, and which are not."""

from tests.models.one_transaction import PULL, TOLD, completed, gaps, mine
from tests.models.play import DAY, Raw


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


def test_a_uuid_in_capitals_is_the_same_registration_and_the_same_completion(begun: Raw) -> None:
    """The API out of a database that writes them so, the webhook out of a program that does not."""
    told = completed(TOLD) | {"registration": "80730e35-481a-4132-af54-1b8f4619abb6"}
    shown = told | {name: str(told[name]).upper() for name in ("registration", "completion_code")}
    begun.told_by_webhook(TOLD, "completion", told)
    begun.told_by_api(PULL[2], shown)
    begun.begin_load(PULL[3])
    assert gaps(begun) == []
    assert begun.table("audit.reconciliation", "registration_id, verdict", "transaction_id")[1:] == [
        (told["registration"], "matched")
    ]
