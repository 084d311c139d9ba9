"""What can befall a call on its way, and how the list moves between calls."""

import json
import time
from datetime import timedelta
from typing import Any

import httpx
import pytest

from progress_pipeline.sandbox.config import Span
from progress_pipeline.sandbox.server import Sandbox
from tests.sandbox.conftest import Ask, Rows, Start


def played(start: Start, **switches: Any) -> Sandbox:
    """Start a sandbox and let all of its events happen."""
    sandbox = start(**switches)
    sandbox.clock.move(timedelta(days=31))
    return sandbox


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("timeout", httpx.ReadTimeout),
        ("reset", httpx.ReadError),
        ("half_answer", httpx.RemoteProtocolError),
    ],
)
def test_a_call_can_fail_on_its_way(start: Start, ask: Ask, fault: str, error: type[Exception]) -> None:
    """The client gets no answer; the vendor counted the call; the next one is well."""
    sandbox = played(start, faults={2: fault})
    with httpx.Client(timeout=0.2) as impatient:
        fields = {"token": sandbox.token, "number": 1000}
        whole = impatient.post(sandbox.api_url, json=fields).json()
        with pytest.raises(error):
            impatient.post(sandbox.api_url, json=fields)
    assert ask(sandbox, number=1000).json() == whole
    assert [call.fault for call in sandbox.truth.calls()] == [None, fault, None]
    assert sandbox.truth.summary().calls_today == 3


@pytest.mark.parametrize(("fault", "status"), [("500", 500), ("502", 502), ("503", 503), ("429", 429)])
def test_a_call_can_be_answered_with_a_failure(start: Start, ask: Ask, fault: str, status: int) -> None:
    """Once, at the number that the script names."""
    sandbox = played(start, faults={1: fault})
    assert [ask(sandbox).status_code for _ in range(2)] == [status, 200]


def test_a_good_status_can_hold_no_answer(start: Start, ask: Ask) -> None:
    """An HTML page, a JSON that stops in the middle, a JSON of the wrong content type."""
    sandbox = played(start, faults={1: "html", 2: "cut_json", 3: "wrong_content_type"})
    html, cut, mistyped, good = (ask(sandbox) for _ in range(4))
    assert {answer.status_code for answer in (html, cut, mistyped, good)} == {200}
    assert html.headers["Content-Type"].startswith("text/html")
    assert html.text.startswith("<!doctype")
    assert cut.headers["Content-Type"].startswith("application/json")
    with pytest.raises(json.JSONDecodeError):
        cut.json()
    assert mistyped.headers["Content-Type"] == "text/plain"
    assert mistyped.json() == good.json()


def test_a_page_can_be_empty_or_short_in_the_middle(start: Start, ask: Ask) -> None:
    """With the count of all as ever."""
    sandbox = played(start, faults={1: "empty_page", 2: "short_page"})
    empty, short, good = (ask(sandbox, start=10, number=10).json() for _ in range(3))
    assert empty == {"count": good["count"], "rows": []}
    assert short == {"count": good["count"], "rows": good["rows"][:5]}


def test_an_answer_can_be_huge(start: Start, client: httpx.Client) -> None:
    """Padded with spaces, still a JSON; the size is a switch."""
    sandbox = played(start, faults={1: "huge"}, huge_bytes=3_500_000)
    with client.stream("POST", sandbox.api_url, json={"token": sandbox.token}) as answer:
        body = answer.read()
    assert len(body) == int(answer.headers["Content-Length"]) > 3_500_000
    assert "rows" in json.loads(body)


def test_a_share_of_calls_fails_by_the_seed(start: Start, ask: Ask) -> None:
    """The same calls fail in each sandbox of the same seed."""
    seen = []
    for _ in range(2):
        sandbox = start(fault_share=0.4, fault_kinds=("500", "html"))
        for _ in range(30):
            ask(sandbox)
        seen.append([call.fault for call in sandbox.truth.calls()])
    assert seen[0] == seen[1]
    assert {*seen[0]} == {None, "500", "html"}


def test_maintenance_answers_each_call_with_503_and_counts_none(start: Start, ask: Ask) -> None:
    """For a span of the sandbox's time."""
    sandbox = start()
    sandbox.change(maintenance=(Span(sandbox.clock(), sandbox.clock() + timedelta(days=1)),))
    assert ask(sandbox).status_code == 503
    sandbox.clock.move(timedelta(days=1))
    assert ask(sandbox).status_code == 200
    assert sandbox.truth.summary().calls_today == 1


def test_an_answer_can_be_slow(start: Start, ask: Ask) -> None:
    """By real seconds."""
    sandbox = start(answer_delay_seconds=0.15)
    before = time.monotonic()
    ask(sandbox)
    assert time.monotonic() - before >= 0.15


def test_the_clock_can_run_while_it_is_asked(start: Start, ask: Ask) -> None:
    """So that what happens meanwhile is in the next answer."""
    sandbox = start(clock_step_per_call=timedelta(days=1))
    counts = [ask(sandbox).json()["count"] for _ in range(10)]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]
    assert (sandbox.clock() - sandbox.config.start_at).days == 10


def test_rows_can_appear_among_older_ones(start: Start, rows: Rows) -> None:
    """Some a call, until none is held back; the truth says which are."""
    sandbox = played(start, inserts_per_call=3, held_back_share=0.3)
    held_back = {one.transaction_id for one in sandbox.truth.updates() if one.unlisted_because == "held_back"}
    listed = sandbox.truth.listed_transactions()
    first, second = (rows(sandbox) for _ in range(2))
    assert held_back
    assert listed < {one["transactionId"] for one in first} < {one["transactionId"] for one in second}
    assert len(second) == len(first) + 3 == len(listed) + 6
    while len(rows(sandbox)) < len(sandbox.truth.updates()):
        assert len(sandbox.truth.calls()) < 100
    assert sandbox.truth.listed_transactions() == {one.transaction_id for one in sandbox.truth.updates()}


def test_learners_can_be_renamed_between_calls(start: Start, rows: Rows) -> None:
    """Rows move under a sort by name; the truth knows the name of the last answer."""
    sandbox = played(start, renames_per_call=5)
    first, second = (rows(sandbox, sort="lastName") for _ in range(2))
    moved = [one["transactionId"] for one in first] != [one["transactionId"] for one in second]
    assert moved
    told = {one.transaction_id: one.record["lastName"] for one in sandbox.truth.updates()}
    assert told == {one["transactionId"]: one["lastName"] for one in second}
    names = [one["lastName"] for one in second]
    assert names == sorted(names)


def test_a_plain_offset_loop_loses_rows_of_a_list_that_moves(start: Start, rows: Rows) -> None:
    """Or the drift would prove nothing of a client that loses none."""
    lost = 0
    for seed in range(5):
        sandbox = played(start, seed=seed, ties="shuffled", renames_per_call=3, registrations=60)
        listed = sandbox.truth.listed_transactions()
        found = set()
        for first in range(0, len(listed) + 20, 20):
            found |= {one["transactionId"] for one in rows(sandbox, start=first, number=20, sort="lastName")}
        lost += len(listed - found)
    assert lost > 0
