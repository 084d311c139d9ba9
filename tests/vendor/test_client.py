"""One question, one answer: what is asked again and what is not, what is counted, and where the token never is."""

import json
import logging
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest
import zstandard

from progress_pipeline.clock import frozen_clock
from progress_pipeline.errors import (
    CallsUsedUpError,
    LimitRefusedError,
    ProgressPipelineError,
    SettingsError,
    TokenRefusedError,
    UnreadableAnswerError,
    VendorUnavailableError,
)
from progress_pipeline.sandbox.config import SandboxConfig
from progress_pipeline.sandbox.server import Sandbox
from progress_pipeline.vendor.answering import QuestionRefusedError
from progress_pipeline.vendor.client import VendorClient
from progress_pipeline.vendor.exchange import Question, date_text
from progress_pipeline.vendor.ledger import CallLedger, Purpose
from progress_pipeline.vendor.pages import KeptPages
from progress_pipeline.vendor.sending import Limits
from progress_pipeline.vendor.windows import Window
from tests.vendor.conftest import NOON, MakeLedger

TOKEN = "f7e1379c-35ad-45f9-b0fa-6ef011e73938"
URL = "https://vendor.example/api/reports/progress"
QUESTION = Question(Window(NOON - timedelta(days=1), NOON), 10)
PAGE = b'{"count": 1, "rows": [{"transactionId": 1}]}'
Answering: TypeAlias = Callable[[httpx.Request], httpx.Response]


class Script(httpx.BaseTransport):
    """Answers each request by the next line of a script, the last one for ever; an exception is raised.

    Args:
        lines: A response's parts, a response, or an exception.
    """

    def __init__(self, *lines: Any) -> None:
        self._lines = list(lines)
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        request.read()
        self.requests.append(request)
        line = self._lines[min(len(self.requests), len(self._lines)) - 1]
        if isinstance(line, Exception):
            raise line
        if isinstance(line, httpx.Response):
            return line
        status, body, *headers = line
        return httpx.Response(status, content=body, headers=headers[0] if headers else None)


def _client(ledger: CallLedger, *lines: Any, **others: Any) -> tuple[VendorClient, Script]:
    script = Script(*lines)
    chosen: dict[str, Any] = {"transport": script, "clock": ledger.clock} | others
    return VendorClient(URL, TOKEN, ledger, **chosen), script


def test_a_question_is_one_post_with_the_token_in_its_body(make_ledger: MakeLedger) -> None:
    """The fields are those of the vendor's page; the token is in no header and in no part of the address."""
    client, script = _client(make_ledger(), (200, PAGE))
    with client:
        answer = client.ask(Purpose.DAILY, Question(QUESTION.window, 10, 5, "reg", "transactionId", "DESC"))
    (request,) = script.requests
    assert (request.method, str(request.url)) == ("POST", URL)
    assert TOKEN not in str(request.headers)
    assert json.loads(request.read()) == {
        "token": TOKEN,
        "start": 5,
        "number": 10,
        "search": "reg",
        "completed": False,
        "startDate": "2026-02-28T12:00:00.000Z",
        "endDate": "2026-03-01T12:00:00.000Z",
        "sort": "transactionId",
        "order": "DESC",
    }
    assert (answer.call_id, answer.page.size, answer.page.count) == (1, 1, 1)


BEYOND = "Fri, 31 Dec 9999 23:59:59 -2359"
"""A date that has no instant in UTC."""

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
    client, _ = _client(ledger, line, line, (200, PAGE))
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
    client, script = _client(ledger, line)
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
    client, script = _client(ledger, line, (200, PAGE))
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
    client, _ = _client(ledger, (429, b"", {"Retry-After": said.encode()}))
    with client, pytest.raises(LimitRefusedError):
        client.ask(Purpose.DAILY, QUESTION)
    assert [call.http_status for call in ledger.calls_since(0)] == [429] * calls


def test_an_odd_date_of_an_answer_is_passed_over(make_ledger: MakeLedger) -> None:
    """The answer stands, and the vendor's clock is not known."""
    client, _ = _client(make_ledger(), (200, PAGE, {"Date": BEYOND}))
    with client:
        assert client.ask(Purpose.DAILY, QUESTION).page.size == 1
        assert client.skew == timedelta()


def test_a_limit_that_the_vendor_names_holds_all_further_calls_back(make_ledger: MakeLedger) -> None:
    """For as long as it says, whatever the ledger has counted."""
    ledger = make_ledger()
    client, script = _client(ledger, (429, b"", {"Retry-After": "3600"}))
    with client:
        with pytest.raises(LimitRefusedError):
            client.ask(Purpose.DAILY, QUESTION)
        with pytest.raises(CallsUsedUpError):
            client.ask(Purpose.REPAIR, QUESTION)
    assert ledger.refused_until() == NOON + timedelta(hours=1)
    assert len(script.requests) == 1


def test_a_call_that_is_held_back_is_not_sent(make_ledger: MakeLedger) -> None:
    """When the ledger says no, nothing leaves."""
    client, script = _client(make_ledger(daily_calls=2), (200, PAGE))
    with client:
        for _ in range(2):
            client.ask(Purpose.DAILY, QUESTION)
        with pytest.raises(CallsUsedUpError):
            client.ask(Purpose.DAILY, QUESTION)
    assert len(script.requests) == 2


def test_tries_end_with_the_days_calls(make_ledger: MakeLedger) -> None:
    """A vendor that fails costs no more calls than there are."""
    client, script = _client(make_ledger(daily_calls=2), (503, b""))
    with client, pytest.raises(CallsUsedUpError):
        client.ask(Purpose.DAILY, QUESTION)
    assert len(script.requests) == 2


class Pieces(httpx.SyncByteStream):
    """A body without an end, that counts what is taken of it."""

    def __init__(self) -> None:
        self.taken = 0

    def __iter__(self) -> Iterator[bytes]:
        while True:
            self.taken += 1
            yield b" " * 1000


@pytest.mark.parametrize(
    ("limits", "status", "at_most"),
    [(Limits(body_bytes=10_000), 200, 11), (Limits(whole_seconds=0), 200, 1), (Limits(), 503, 5)],
    ids=["too large", "too slow", "an error's body"],
)
def test_a_body_without_an_end_is_left(make_ledger: MakeLedger, limits: Limits, status: int, at_most: int) -> None:
    """At a size, after a time, and of an error's body after its beginning."""
    body = Pieces()
    client, _ = _client(make_ledger(), httpx.Response(status, stream=body), limits=limits)
    with client, pytest.raises(VendorUnavailableError):
        client.ask(Purpose.DAILY, QUESTION, attempts=1)
    assert body.taken <= at_most


def test_another_content_type_does_not_matter(make_ledger: MakeLedger) -> None:
    """What counts is whether the body is a page."""
    client, _ = _client(make_ledger(), (200, PAGE, {"Content-Type": "text/html"}))
    with client:
        assert client.ask(Purpose.DAILY, QUESTION).page.size == 1


ECHO = f'{{"error": "something about {TOKEN}", "token": "{TOKEN}"}}'.encode()


@pytest.mark.parametrize(
    "line",
    [
        (401, ECHO),
        (429, ECHO),
        (503, ECHO),
        (400, ECHO),
        (200, ECHO),
        (200, b'{"rows": [{"transactionId": 1, "a": "%b"}]}' % TOKEN.encode()),
    ],
    ids=["401", "429", "503", "400", "200", "a record"],
)
def test_the_token_is_nowhere_even_if_the_vendor_says_it(
    make_ledger: MakeLedger, tmp_path: Path, caplog: pytest.LogCaptureFixture, line: Any
) -> None:
    """Not in errors and their causes, not in the log, not in any file, not in a repr."""
    caplog.set_level(logging.DEBUG)
    said = ""
    client, _ = _client(make_ledger(), line, pages=KeptPages(tmp_path / "pages"))
    with client:
        try:
            said = str(client.ask(Purpose.DAILY, QUESTION).page.records.to_pylist())
        except ProgressPipelineError as error:
            said = f"{error!r} {error.__cause__!r} {error.__context__!r}"
        sender = vars(client)["_sender"]
        said += f"{client!r} {sender!r} {vars(sender)['_http']!r}"
    assert said
    assert TOKEN not in said
    assert TOKEN not in caplog.text
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    pages = [zstandard.ZstdDecompressor().decompress(file.read_bytes()) for file in files if file.suffix == ".zst"]
    assert pages
    assert not any(TOKEN.encode() in body for body in [*pages, *(file.read_bytes() for file in files)])


@pytest.mark.parametrize("is_ascii", [True, False])
def test_a_token_that_json_writes_otherwise_is_left_out_too(make_ledger: MakeLedger, *, is_ascii: bool) -> None:
    """With a quote, a backslash and a letter beyond ASCII, as either way of writing JSON has them."""
    token = 'geheim"\\é'
    body = json.dumps({"error": f"something about {token}"}, ensure_ascii=is_ascii).encode()
    transport = Script((400, body))
    with (
        VendorClient(URL, token, make_ledger(), transport=transport) as client,
        pytest.raises(QuestionRefusedError, match=re.escape("something about (token)")),
    ):
        client.ask(Purpose.DAILY, QUESTION)


@pytest.mark.parametrize("url", ["http://vendor.example/", "http://192.168.1.5/", "http://127.0.0.1.evil.example/"])
def test_the_token_does_not_travel_in_the_clear(make_ledger: MakeLedger, url: str) -> None:
    """HTTPS, or this machine itself."""
    with pytest.raises(SettingsError, match="must begin with https"):
        VendorClient(url, TOKEN, make_ledger())


def test_a_body_is_kept_as_it_came_and_found_by_its_hash(make_ledger: MakeLedger, tmp_path: Path) -> None:
    """A page that could not be read, too; for ninety days."""
    pages = KeptPages(tmp_path)
    ledger = make_ledger()
    client, _ = _client(ledger, (200, b"<html>"), (200, PAGE), pages=pages)
    with client:
        client.ask(Purpose.DAILY, QUESTION)
    assert [pages.read(call.call_id, call.counted_at) for call in ledger.calls_since(0)] == [b"<html>", PAGE]
    assert pages.drop_old(NOON.date() + timedelta(days=90)) == 0
    assert pages.drop_old(NOON.date() + timedelta(days=91)) == 1
    assert pages.read(1, NOON) is None


def test_the_ledger_forgets_calls_of_more_than_a_year_ago(make_ledger: MakeLedger) -> None:
    """So that it stays small over the years; the warehouse has them."""
    for now, calls in ((NOON, 1), (NOON + timedelta(days=399), 2), (NOON + timedelta(days=402), 2)):
        ledger = make_ledger(clock=frozen_clock(now))
        client, _ = _client(ledger, (200, PAGE))
        with client:
            client.ask(Purpose.DAILY, QUESTION)
        assert len(ledger.calls_since(0)) == calls


@pytest.mark.parametrize(
    ("ahead", "known_until"),
    [(timedelta(hours=-1), NOON - timedelta(hours=1, minutes=1)), (timedelta(hours=1), NOON - timedelta(minutes=1))],
    ids=["behind", "ahead"],
)
def test_a_vendors_clock_that_is_behind_is_not_run_ahead_of(
    make_ledger: MakeLedger, ahead: timedelta, known_until: datetime
) -> None:
    """What it shows ends where its own time ends, less a minute in which a change may not show yet."""
    date = f"{NOON + ahead:%a, %d %b %Y %H:%M:%S} GMT"
    client, _ = _client(make_ledger(), (200, PAGE, {"Date": date}), clock=frozen_clock(NOON))
    with client:
        client.ask(Purpose.DAILY, QUESTION)
        assert client.vendor_now() == known_until


def test_a_range_is_written_to_the_millisecond_and_never_narrower() -> None:
    """A start is rounded down, an end up."""
    instant = datetime(2026, 3, 1, 23, 59, 59, 999_500, UTC)
    assert date_text(instant) == "2026-03-01T23:59:59.999Z"
    assert date_text(instant, is_end=True) == "2026-03-02T00:00:00.000Z"


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
