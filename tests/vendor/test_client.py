"""One question, one answer: what is asked again and what is not, what is counted, and what holds calls back."""

import re
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from progress_pipeline.clock import frozen_clock
from progress_pipeline.errors import (
    CallsUsedUpError,
    LimitRefusedError,
    ProgressPipelineError,
    TokenRefusedError,
    UnreadableAnswerError,
    VendorUnavailableError,
)
from progress_pipeline.sandbox.config import SandboxConfig
from progress_pipeline.sandbox.server import Sandbox
from progress_pipeline.vendor.answering import QuestionRefusedError
from progress_pipeline.vendor.client import VendorClient
from progress_pipeline.vendor.ledger import CallLedger, Purpose
from tests.vendor.conftest import NOON, MakeLedger
from tests.vendor.scripted import BEYOND, PAGE, QUESTION, scripted

PASSING = [
    pytest.param((503, b"down"), id="503"),
    pytest.param((500, b""), id="500"),
    pytest.param((408, b""), id="408"),
    pytest.param((429, b"slow down"), id="429"),
    pytest.param((429, b"", {"Retry-After": "1"}), id="429 for a second"),
    pytest.param((200, b"<!doctype html><title>Log in</title>"), id="HTML with status 200"),
    pytest.param((200, PAGE[:-9]), id="JSON that stops"),
    pytest.param((200, b""), id="no body"),
    pytest.param(httpx.ConnectTimeout("no"), id="timeout"),
    pytest.param(httpx.ReadTimeout("no"), id="silence"),
    pytest.param(httpx.ReadError("reset"), id="reset"),
    pytest.param(httpx.RemoteProtocolError("half an answer"), id="half an answer"),
    pytest.param((200, b"x", {"Content-Encoding": "gzip"}), id="an encoding that is none"),
]


@pytest.mark.parametrize("line", PASSING)
def test_what_can_heal_is_asked_again_and_each_try_is_counted(make_ledger: MakeLedger, line: Any) -> None:
    """Two failures and then an answer are three calls."""
    ledger = make_ledger()
    client, _ = scripted(ledger, line, line, (200, PAGE))
    with client:
        assert client.ask(Purpose.DAILY, QUESTION).page.size == 1
    assert [call.outcome for call in ledger.calls_since(0)] == ["failed", "failed", "answered"]
    assert ledger.used() == 3
    assert ledger.refused_until() is None


@pytest.mark.parametrize(
    ("line", "error", "says"),
    [
        ((503, b"maintenance"), VendorUnavailableError, "HTTP 503: 'maintenance'"),
        (httpx.ConnectError("refused"), VendorUnavailableError, r"vendor\.example .*ConnectError: refused"),
        ((200, b"<html>Log in</html>"), UnreadableAnswerError, "a login page"),
        ((200, PAGE[:-9]), UnreadableAnswerError, "not whole JSON"),
        ((200, b'{"message": "hello"}'), UnreadableAnswerError, "neither a record nor has `rows`"),
        ((429, b"too many"), LimitRefusedError, "limit of calls is reached"),
    ],
    ids=["503", "nobody there", "login page", "JSON that stops", "another object", "429"],
)
def test_what_does_not_heal_ends_after_four_calls_with_a_sentence(
    make_ledger: MakeLedger, line: Any, error: type[ProgressPipelineError], says: str
) -> None:
    """It says what was answered, and the ledger says it of each call."""
    ledger = make_ledger()
    client, script = scripted(ledger, line)
    with client, pytest.raises(error, match=says):
        client.ask(Purpose.DAILY, QUESTION)
    assert len(script.requests) == ledger.used() == 4
    assert all(call.error and re.search(says.rsplit(maxsplit=1)[-1], call.error) for call in ledger.calls_since(0))


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ((401, b"unauthorized"), TokenRefusedError),
        ((403, b"forbidden"), TokenRefusedError),
        ((200, b'{"error": "invalid token"}'), TokenRefusedError),
        ((403, b"quota exceeded"), LimitRefusedError),
        ((429, b"", {"Retry-After": "3600"}), LimitRefusedError),
        ((400, b"bad sort"), QuestionRefusedError),
        ((404, b""), QuestionRefusedError),
        ((302, b"", {"Location": "https://elsewhere.example/"}), QuestionRefusedError),
        ((503, b"", {"Retry-After": "3600"}), VendorUnavailableError),
    ],
    ids=["401", "403", "200 token", "403 quota", "429 for an hour", "400", "404", "redirect", "503 for an hour"],
)
def test_what_cannot_heal_is_asked_once(make_ledger: MakeLedger, line: Any, error: type[ProgressPipelineError]) -> None:
    """No redirect is followed, no token tried again, no long wait slept through."""
    ledger = make_ledger()
    client, script = scripted(ledger, line, (200, PAGE))
    with client, pytest.raises(error):
        client.ask(Purpose.DAILY, QUESTION)
    assert [request.url.host for request in script.requests] == ["vendor.example"]
    assert ledger.used() == 1


@pytest.mark.parametrize(
    ("said", "calls"),
    [("9" * 6000, 1), ("000000000000001", 4), ("²", 4), ("-5", 4), ("soon", 4), (BEYOND, 4)],
    ids=["thousands of digits", "leading zeros", "no ASCII digit", "negative", "a word", "beyond the calendar"],
)
def test_an_odd_wait_is_read_or_passed_over(make_ledger: MakeLedger, said: str, calls: int) -> None:
    """The call is written down as answered, and the limit is what stops the run; a long number is a long wait."""
    ledger = make_ledger()
    client, _ = scripted(ledger, (429, b"", {"Retry-After": said.encode()}))
    with client, pytest.raises(LimitRefusedError):
        client.ask(Purpose.DAILY, QUESTION)
    assert [call.http_status for call in ledger.calls_since(0)] == [429] * calls


def test_a_limit_that_the_vendor_names_holds_all_further_calls_back(make_ledger: MakeLedger) -> None:
    """For as long as it says, whatever the ledger has counted."""
    ledger = make_ledger()
    client, script = scripted(ledger, (429, b"", {"Retry-After": "3600"}))
    with client:
        with pytest.raises(LimitRefusedError):
            client.ask(Purpose.DAILY, QUESTION)
        with pytest.raises(CallsUsedUpError):
            client.ask(Purpose.REPAIR, QUESTION)
    assert ledger.refused_until() == NOON + timedelta(hours=1)
    assert len(script.requests) == 1


def test_a_call_that_is_held_back_is_not_sent(make_ledger: MakeLedger) -> None:
    """When the ledger says no, nothing leaves."""
    client, script = scripted(make_ledger(daily_calls=2), (200, PAGE))
    with client:
        for _ in range(2):
            client.ask(Purpose.DAILY, QUESTION)
        with pytest.raises(CallsUsedUpError):
            client.ask(Purpose.DAILY, QUESTION)
    assert len(script.requests) == 2


def test_tries_end_with_the_days_calls(make_ledger: MakeLedger) -> None:
    """A vendor that fails costs no more calls than there are."""
    client, script = scripted(make_ledger(daily_calls=2), (503, b""))
    with client, pytest.raises(CallsUsedUpError):
        client.ask(Purpose.DAILY, QUESTION)
    assert len(script.requests) == 2


def test_the_ledger_forgets_calls_of_more_than_a_year_ago(make_ledger: MakeLedger) -> None:
    """So that it stays small over the years; the warehouse has them."""
    for now, calls in ((NOON, 1), (NOON + timedelta(days=399), 2), (NOON + timedelta(days=402), 2)):
        ledger = make_ledger(clock=frozen_clock(now))
        client, _ = scripted(ledger, (200, PAGE))
        with client:
            client.ask(Purpose.DAILY, QUESTION)
        assert len(ledger.calls_since(0)) == calls


_ASKS_ON = """
import sys
from pathlib import Path
from datetime import UTC, datetime, timedelta
from progress_pipeline.vendor.client import VendorClient
from progress_pipeline.vendor.exchange import Question
from progress_pipeline.vendor.ledger import CallLedger, Purpose
from progress_pipeline.vendor.windows import Window
ledger = CallLedger(Path(sys.argv[1]), daily_calls=140)
ledger.expect(dict.fromkeys(Purpose, 0))
client = VendorClient(sys.argv[2], sys.argv[3], ledger)
now = datetime.now(UTC)
while True:
    client.ask(Purpose.DAILY, Question(Window(now - timedelta(days=1), now), 1))
"""


def test_after_sigkill_at_call_137_the_next_process_sends_call_138_as_the_138th(tmp_path: Path) -> None:
    """By the vendor's own count; and of a day of 140, the 141st never leaves."""
    path = tmp_path / "calls.sqlite"
    with Sandbox(SandboxConfig(registrations=1, days=1, faults={137: "timeout"}, timeout_seconds=5)) as sandbox:
        process = subprocess.Popen(  # noqa: S603 - this test's own lines
            [sys.executable, "-c", _ASKS_ON, path, sandbox.api_url, sandbox.token]
        )
        until = time.monotonic() + 60
        while len(sandbox._api.calls) < 137 and process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        process.kill()
        assert process.wait() == -signal.SIGKILL
        with CallLedger(path, daily_calls=140) as ledger:
            ledger.expect(dict.fromkeys(Purpose, 0))
            client = VendorClient(sandbox.api_url, sandbox.token, ledger)
            for number in range(138, 141):
                answer = client.ask(Purpose.DAILY, QUESTION)
                assert answer.call_id == sandbox._api.calls[-1].number == number
            with client, pytest.raises(CallsUsedUpError):
                client.ask(Purpose.DAILY, QUESTION)
        assert len(sandbox._api.calls) == 140
