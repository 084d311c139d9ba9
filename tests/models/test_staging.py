"""Staging: what the vendor's odd values become, and that none is lost without a word."""

from datetime import datetime
from typing import Any

import pytest

from tests.models.play import DAY, FIRST_DAY, Raw, record

NOON = datetime(2018, 1, 1, 12)  # noqa: DTZ001 - raw instants are UTC without a zone


def typed(raw: Raw, **values: Any) -> dict[str, Any]:
    """Give what staging makes of one record."""
    raw.told_by_api(FIRST_DAY + DAY, record(**values))
    raw.make("staging.stg_api__progress")
    return raw.one("from staging.stg_api__progress")


@pytest.mark.parametrize(
    ("field", "text", "column", "value"),
    [
        ("transaction_id", "9987", "transaction_id", 9987),
        ("transaction_id", " 7 ", "transaction_id", 7),
        ("progress", "9.09", "progress_percent", 9.09),
        ("progress", "100", "progress_percent", 100.0),
        ("progress", "250", "progress_percent", 250.0),
        ("date_started", "2018-01-01T12:00:00", "started_at", NOON),
        ("date_started", "2018-01-01T12:00:00Z", "started_at", NOON),
        ("date_started", "2018-01-01T12:00:00.000Z", "started_at", NOON),
        ("date_started", "2018-01-01T12:00:00.0000000", "started_at", NOON),
        ("date_started", "2018-01-01T14:00:00+02:00", "started_at", NOON),
        ("date_started", "2018-01-01 12:00:00", "started_at", NOON),
        ("date_completed", "", "completed_at", None),
        ("date_completed", None, "completed_at", None),
        ("date_completed", "0001-01-01T00:00:00", "completed_at", None),
        ("completion_code", "Fake Code", "completion_code", "Fake Code"),
        (
            "completion_code",
            "1B50007D-5D2F-4832-A5F5-646690045E2A",
            "completion_code",
            "1b50007d-5d2f-4832-a5f5-646690045e2a",
        ),
        (
            "registration",
            "80730E35-481A-4132-AF54-1B8F4619ABB6",
            "registration_id",
            "80730e35-481a-4132-af54-1b8f4619abb6",
        ),
        ("registration", "Reg-7A", "registration_id", "Reg-7A"),
        ("completion_code", "00000000-0000-0000-0000-000000000000", "completion_code", None),
        (
            "registration",
            "44590u89-111a-6859-b899-3940dhbkww91",
            "registration_id",
            "44590u89-111a-6859-b899-3940dhbkww91",
        ),
        ("first_name", "  Ada ", "first_name", "Ada"),
        ("member_identifier", "", "member_identifier", None),
    ],
)
def test_a_value_becomes_what_it_means(raw: Raw, field: str, text: str | None, column: str, value: object) -> None:
    """Numbers as text, instants in each form, absent values in each form: typed, and none named unread."""
    row = typed(raw, **{field: text})
    assert row[column] == value
    assert row["unread_fields"] is None


@pytest.mark.parametrize(
    ("field", "text", "column"),
    [
        ("date_started", "soon", "started_at"),
        ("date_started", "2018-13-01T00:00:00", "started_at"),
        ("date_started", "infinity", "started_at"),
        ("date_completed", "false", "completed_at"),
        ("progress", "half", "progress_percent"),
        ("progress", "NaN", "progress_percent"),
        ("progress", "1e300", "progress_percent"),
    ],
)
def test_what_cannot_be_read_is_null_and_named(raw: Raw, field: str, text: str, column: str) -> None:
    """A value that is given and has no type is visible as such."""
    row = typed(raw, **{field: text})
    assert row[column] is None
    assert row["unread_fields"] == column


@pytest.mark.parametrize(
    "changed",
    [
        {"first_name": "Ada ", "last_name": "Byron"},
        {"first_name": "Ad", "last_name": "aByron"},
        {"first_name": "Ada|5:Byron", "last_name": None},
        {"first_name": None, "last_name": "Ada"},
        {"first_name": "", "last_name": "AdaByron"},
        {"first_name": "Ada", "last_name": "Byron", "progress": None},
    ],
)
def test_records_that_differ_have_different_hashes(raw: Raw, changed: dict[str, Any]) -> None:
    """By a blank, by where a name is cut, or by what is missing; the same record has the same of either witness."""
    said = {"first_name": "Ada", "last_name": "Byron", "progress": 40}
    raw.told_by_api(FIRST_DAY + DAY, record(**said), record(transaction_id=2, **said), record(**(said | changed)))
    raw.told_by_webhook(FIRST_DAY, "started", record(**said))
    raw.make("staging.stg_api__progress", "staging.stg_webhook__updates")
    told = raw.table("staging.stg_api__progress", "record_hash", order="position")
    assert raw.table("staging.stg_webhook__updates", "record_hash") == told[:1]
    assert len(set(told)) == 3


def test_a_record_without_a_registration_goes_by_its_transaction(raw: Raw) -> None:
    """It still stands in the facts, under a name that says why."""
    row = typed(raw, registration="", transaction_id=12)
    assert (row["registration_id"], row["has_registration"]) == ("transaction:12", False)
