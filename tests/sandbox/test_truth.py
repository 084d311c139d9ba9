"""What the truth says of the API's side, the control address, the clock, and switches that change."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from progress_pipeline.errors import UsageError
from progress_pipeline.sandbox.config import Planted, SandboxConfig
from progress_pipeline.sandbox.server import Sandbox
from tests.sandbox.conftest import Rows, Start


def test_a_withheld_row_appears_in_the_api_when_its_time_has_come(start: Start, rows: Rows) -> None:
    """Two days after it happened, under its own date."""
    sandbox = start(planted=(Planted("api_withheld", update_id=5),))
    update = sandbox.truth.updates(to_come=True)[4]
    at, transaction = update.happened_at, update.transaction_id
    sandbox.clock.set(at + timedelta(days=2, seconds=-1))
    assert transaction not in {one["transactionId"] for one in rows(sandbox)}
    assert sandbox.truth.updates()[4].unlisted_because == "withheld"
    sandbox.clock.move(timedelta(seconds=1))
    found = rows(sandbox, startDate=at.isoformat(), endDate=(at + timedelta(seconds=1)).isoformat())
    assert transaction in {one["transactionId"] for one in found}
    assert sandbox.truth.updates()[4].is_listed


def test_some_transactions_are_told_by_one_side_alone(start: Start, rows: Rows, tmp_path: Path) -> None:
    """One never by the API, one unreadably by the API, one never by the webhook; the truth names each."""
    sandbox = start(push_folder=tmp_path)
    sandbox.plant("api_never", transaction_id=9003)
    sandbox.plant("api_garbled", transaction_id=9005)
    sandbox.plant("push_lost", transaction_id=9007)
    sandbox.clock.move(timedelta(days=31))
    unlisted = {one.transaction_id: one.unlisted_because for one in sandbox.truth.updates() if not one.is_listed}
    assert unlisted == {9003: "never", 9005: "garbled"}
    assert {one.transaction_id: one.lost_because for one in sandbox.truth.lost()} == {9007: "lost"}
    shown = [one["transactionId"] for one in rows(sandbox) if isinstance(one, dict) and "transactionId" in one]
    assert set(shown) == sandbox.truth.listed_transactions()
    assert len(rows(sandbox)) == len(shown) + 1


def test_the_api_can_contradict_itself(start: Start, rows: Rows) -> None:
    """At every other call a row has another value, though nothing happened."""
    sandbox = start(differs_in="progress")
    sandbox.plant("api_contradicts", transaction_id=9003)
    sandbox.clock.move(timedelta(days=31))
    first, second, third = (rows(sandbox) for _ in range(3))
    assert first == third
    changed = [(one, other) for one, other in zip(first, second, strict=True) if one != other]
    assert [(one["transactionId"], other["progress"]) for one, other in changed] == [(9003, 1)]


def test_in_place_a_withheld_change_leaves_the_older_state_to_be_seen(start: Start, rows: Rows) -> None:
    """The API is behind the webhook."""
    sandbox = start(transactions="in_place")
    updates = sandbox.truth.updates(to_come=True)
    second = next(one for one in updates if one.kind == "progressed")
    sandbox.plant("api_never", update_id=second.update_id)
    sandbox.clock.set(second.happened_at)
    shown = [one["progress"] for one in rows(sandbox) if one["transactionId"] == second.transaction_id]
    assert shown
    assert shown[0] < second.record["progress"]


def test_a_newer_update_replaces_an_older_where_the_newest_alone_is_listed(start: Start) -> None:
    """The truth says so of the older."""
    sandbox = start(listed="newest")
    sandbox.clock.move(timedelta(days=31))
    reasons = Counter(one.unlisted_because for one in sandbox.truth.updates())
    assert reasons == {None: len(sandbox.truth.registrations()), "replaced": reasons["replaced"]}


def test_the_control_address_tells_what_the_object_tells(start: Start, client: httpx.Client, tmp_path: Path) -> None:
    """For a test in another process."""
    sandbox = start(push_folder=tmp_path, shares={"push_lost": 0.2})
    client.post(sandbox.control_url + "/clock", json={"set": "2026-01-20T00:00:00Z"})
    client.post(sandbox.control_url + "/clock", json={"move_seconds": 86_400})
    assert sandbox.clock() == datetime(2026, 1, 21, tzinfo=UTC)

    def told(name: str) -> Any:
        return client.get(f"{sandbox.control_url}/truth{name}").json()

    assert told("")["lost"] == {"lost": len(sandbox.truth.lost())}
    assert [one["update_id"] for one in told("/lost")] == [one.update_id for one in sandbox.truth.lost()]
    assert len(told("/updates")) == len(sandbox.truth.updates())
    assert told("/registrations").keys() == sandbox.truth.registrations().keys()
    assert len(told("/pushes")) == len(sandbox.truth.pushes())
    assert told("/calls") == []
    assert client.get(sandbox.control_url + "/clock").json() == {"clock": "2026-01-21T00:00:00Z"}


def test_calls_are_told_without_the_token(start: Start, client: httpx.Client, rows: Rows) -> None:
    """Number, time, fields, status, rows."""
    sandbox = start()
    rows(sandbox, search="nobody")
    call = client.get(sandbox.control_url + "/truth/calls").json()[0]
    assert call["request"] == {"number": 100_000, "search": "nobody"}
    assert (call["number"], call["status"], call["row_count"], call["is_counted"]) == (1, 200, 0, True)


def test_switches_change_over_the_control_address(start: Start, client: httpx.Client, rows: Rows) -> None:
    """Spans of time are seconds, instants and spans of instants are text."""
    sandbox = start()
    switches = {
        "page_cap": 3,
        "faults": {"7": "reset"},
        "push_late_by": 3600,
        "outages": [{"start": "2026-01-02T00:00:00Z", "end": "2026-01-03T00:00:00Z"}],
        "planted": [{"fault": "push_lost", "update_id": 2}],
    }
    answer = client.post(sandbox.control_url + "/switches", json=switches)
    assert answer.status_code == 200
    assert answer.json()["page_cap"] == 3
    sandbox.clock.move(timedelta(days=31))
    assert len(rows(sandbox)) == 3
    assert sandbox.config.push_late_by == timedelta(hours=1)
    assert sandbox.config.faults == {7: "reset"}
    assert sandbox.config.outages[0].start == datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/clock", {"set": "2020-01-01T00:00:00Z"}),
        ("/clock", {"set": "soon"}),
        ("/clock", {}),
        ("/calls", {}),
        ("/switches", {"seed": 3}),
        ("/switches", {"colour": "red"}),
        ("/switches", {"ties": "odd"}),
        ("/switches", {"count_day": "Mars/Base"}),
        ("/switches", {"planted": [{"fault": "push_lost", "update_id": 99999}]}),
        ("/switches", {"planted": [{"fault": "falling_progress", "update_id": 1}]}),
    ],
)
def test_the_control_address_refuses_what_cannot_be(
    start: Start, client: httpx.Client, path: str, body: dict[str, object]
) -> None:
    """With 400 and a reason, and nothing has changed."""
    sandbox = start()
    before = sandbox.config
    answer = client.post(sandbox.control_url + path, json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert sandbox.config == before
    assert client.post(sandbox.control_url + "/truth").status_code == 404


@pytest.mark.parametrize(
    "switches",
    [
        {"ties": "odd"},
        {"faults": {1: "boom"}},
        {"shares": {"push_eaten": 0.1}},
        {"planted": (Planted("nothing", update_id=1),)},  # type: ignore[arg-type]
        {"start_at": datetime(2026, 1, 1)},  # noqa: DTZ001 - what is refused
        {"count_day": "Mars/Base"},
        {"page_cap": 0},
        {"push_url": "http://127.0.0.1:1", "push_folder": Path()},
    ],
)
def test_a_config_refuses_what_a_switch_cannot_be(switches: dict[str, object]) -> None:
    """When it is made, not when it is used."""
    with pytest.raises(UsageError):
        SandboxConfig(**switches)  # type: ignore[arg-type]


def test_the_clock_moves_forwards_alone() -> None:
    """What was told cannot be taken back."""
    with Sandbox(SandboxConfig(registrations=1)) as sandbox:
        sandbox.clock.move(timedelta(days=1))
        with pytest.raises(UsageError, match="cannot go back"):
            sandbox.clock.move(timedelta(seconds=-1))
        with pytest.raises(UsageError, match="time zone"):
            sandbox.clock.set(datetime(2026, 3, 1))  # noqa: DTZ001 - what is refused


def test_a_sandbox_that_is_not_entered_has_no_address() -> None:
    """And says how to get one."""
    with pytest.raises(UsageError, match="with Sandbox"):
        _ = Sandbox(SandboxConfig(registrations=1)).api_url
