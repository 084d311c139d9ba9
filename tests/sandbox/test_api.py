"""The API as the vendor's page has it: nine fields, their types and defaults, and the token."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.sandbox.conftest import Ask, Rows, Start

PAGE_FIELDS = [
    "transactionId",
    "firstName",
    "lastName",
    "email",
    "memberIdentifier",
    "activityId",
    "activityTitle",
    "registration",
    "dateStarted",
    "progress",
    "dateCompleted",
    "completionCode",
]


def test_a_record_has_the_twelve_fields_of_the_page_in_its_order(start: Start, rows: Rows) -> None:
    """As published, with numbers as numbers and what is absent as empty text."""
    sandbox = start()
    sandbox.clock.move(timedelta(days=30))
    records = rows(sandbox)
    assert all(list(record) == PAGE_FIELDS for record in records)
    assert all(type(record["transactionId"]) is int and type(record["progress"]) is int for record in records)
    assert {record["dateCompleted"] for record in records if record["progress"] < 100} == {""}


def test_the_list_holds_what_has_happened_by_the_clock(start: Start, ask: Ask) -> None:
    """Moving the clock brings events; nothing else does."""
    sandbox = start()
    counts = []
    for _ in range(4):
        counts.append(ask(sandbox).json()["count"])
        assert counts[-1] == len(sandbox.truth.updates())
        sandbox.clock.move(timedelta(days=10))
    assert counts == sorted(set(counts))


def test_without_a_number_a_hundred_rows_come_by_first_name(start: Start, client: httpx.Client) -> None:
    """The page's defaults: start 0, number 100, ascending."""
    sandbox = start(registrations=80)
    sandbox.clock.move(timedelta(days=30))
    answer = client.post(sandbox.api_url, json={"token": sandbox.token}).json()
    assert len(answer["rows"]) == 100 < answer["count"]
    names = [record["firstName"] for record in answer["rows"]]
    assert names == sorted(names)


@pytest.mark.parametrize("field", PAGE_FIELDS)
@pytest.mark.parametrize("order", ["ASC", "DESC"])
def test_rows_are_sorted_by_any_field_either_way(start: Start, rows: Rows, field: str, order: str) -> None:
    """Absent values come first when ascending."""
    sandbox = start()
    sandbox.clock.move(timedelta(days=30))
    values = [record[field] for record in rows(sandbox, sort=field, order=order)]
    assert values == sorted(values, reverse=order == "DESC")


def test_pages_by_offset_make_the_whole_list(start: Start, rows: Rows) -> None:
    """`start` is the place of the first row."""
    sandbox = start()
    sandbox.clock.move(timedelta(days=30))
    whole = rows(sandbox, sort="lastName")
    pages = [rows(sandbox, sort="lastName", start=first, number=7) for first in range(0, len(whole) + 7, 7)]
    assert [record for page in pages for record in page] == whole
    assert pages[-1] == []


def test_search_looks_into_its_five_fields_and_no_other(start: Start, rows: Rows) -> None:
    """Name, e-mail, title, registration and completion code, whatever the case; not the learner's number."""
    sandbox = start()
    sandbox.clock.move(timedelta(days=30))
    one = next(record for record in rows(sandbox) if record["completionCode"] and record["memberIdentifier"])
    for text in (
        f"{one['firstName']} {one['lastName']}",
        one["email"].upper(),
        one["activityTitle"][1:],
        one["registration"],
        one["completionCode"],
    ):
        assert one in rows(sandbox, search=text)
    assert {record["registration"] for record in rows(sandbox, search=one["registration"])} == {one["registration"]}
    assert rows(sandbox, search=one["memberIdentifier"]) == []


@pytest.mark.parametrize("value", [True, "true"])
def test_completed_narrows_the_list_to_completed_activities(start: Start, rows: Rows, value: Any) -> None:
    """As a boolean and as text."""
    sandbox = start()
    sandbox.clock.move(timedelta(days=30))
    completed = rows(sandbox, completed=value)
    assert completed == [record for record in rows(sandbox) if record["dateCompleted"]]


@pytest.mark.parametrize("value", [False, "false", None, ""])
def test_completed_switched_off_narrows_nothing(start: Start, rows: Rows, value: Any) -> None:
    """Customers send false as a boolean and as text."""
    sandbox = start()
    sandbox.clock.move(timedelta(days=30))
    assert rows(sandbox, completed=value) == rows(sandbox)


@pytest.mark.parametrize(("status", "shown"), [(401, 401), (403, 403), (200, 200)])
def test_a_wrong_token_is_refused_with_an_error_and_no_rows(start: Start, ask: Ask, status: int, shown: int) -> None:
    """The status is a switch; such a call is not counted."""
    sandbox = start(wrong_token_status=status)
    for token in ("", None, sandbox.token.upper() + "x"):
        answer = ask(sandbox, token=token)
        assert (answer.status_code, answer.json()) == (shown, {"error": "Invalid token"})
    assert sandbox.truth.summary().calls_today == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"order": "UP"},
        {"startDate": "yesterday"},
        {"number": -1},
        {"start": "x"},
        {"number": 1.5},
        {"completed": "maybe"},
        {"completed": []},
        {"search": "x" * 101},
        {"search": 5},
    ],
)
def test_a_field_that_cannot_be_read_is_refused(start: Start, ask: Ask, fields: dict[str, Any]) -> None:
    """With 400 and a reason, as a counted call."""
    sandbox = start()
    answer = ask(sandbox, **fields)
    assert answer.status_code == 400
    assert "error" in answer.json()
    assert sandbox.truth.summary().calls_today == 1


def test_what_is_no_call_is_refused(start: Start, client: httpx.Client) -> None:
    """Another path, another method, a body that is no JSON object."""
    sandbox = start()
    assert client.post(sandbox.api_url + "/x").status_code == 404
    assert client.get(sandbox.api_url).status_code == 405
    assert client.post(sandbox.api_url, content=b"[1]").status_code == 400
    assert sandbox.truth.summary().calls_today == 0


def test_one_connection_serves_many_calls(start: Start, client: httpx.Client) -> None:
    """HTTP/1.1 keep-alive: a client that keeps its connection keeps the same one."""
    sandbox = start()
    ports = set()
    for _ in range(3):
        with client.stream("POST", sandbox.api_url, json={"token": sandbox.token}) as answer:
            ports.add(answer.extensions["network_stream"].get_extra_info("client_addr"))
            answer.read()
    assert len(ports) == 1
