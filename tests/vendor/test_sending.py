"""What leaves and what comes back: a question, a body and its bounds, the vendor's clock, and where no token is."""

import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard

from progress_pipeline.clock import frozen_clock
from progress_pipeline.errors import ProgressPipelineError, SettingsError, VendorUnavailableError
from progress_pipeline.vendor.answering import QuestionRefusedError
from progress_pipeline.vendor.client import VendorClient
from progress_pipeline.vendor.exchange import Question, date_text
from progress_pipeline.vendor.ledger import Purpose
from progress_pipeline.vendor.pages import KeptPages
from progress_pipeline.vendor.sending import Limits
from tests.vendor.conftest import NOON, MakeLedger
from tests.vendor.scripted import BEYOND, PAGE, QUESTION, TOKEN, URL, Script, scripted


def test_a_question_is_one_post_with_the_token_in_its_body(make_ledger: MakeLedger) -> None:
    """The fields are those of the vendor's page; the token is in no header and in no part of the address."""
    client, script = scripted(make_ledger(), (200, PAGE))
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


def test_an_odd_date_of_an_answer_is_passed_over(make_ledger: MakeLedger) -> None:
    """The answer stands, and the vendor's clock is not known."""
    client, _ = scripted(make_ledger(), (200, PAGE, {"Date": BEYOND}))
    with client:
        assert client.ask(Purpose.DAILY, QUESTION).page.size == 1
        assert client.skew == timedelta()


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
    client, _ = scripted(make_ledger(), httpx.Response(status, stream=body), limits=limits)
    with client, pytest.raises(VendorUnavailableError):
        client.ask(Purpose.DAILY, QUESTION, attempts=1)
    assert body.taken <= at_most


def test_another_content_type_does_not_matter(make_ledger: MakeLedger) -> None:
    """What counts is whether the body is a page."""
    client, _ = scripted(make_ledger(), (200, PAGE, {"Content-Type": "text/html"}))
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
    client, _ = scripted(make_ledger(), line, pages=KeptPages(tmp_path / "pages"))
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
    client, _ = scripted(ledger, (200, b"<html>"), (200, PAGE), pages=pages)
    with client:
        client.ask(Purpose.DAILY, QUESTION)
    assert [pages.read(call.call_id, call.counted_at) for call in ledger.calls_since(0)] == [b"<html>", PAGE]
    assert pages.drop_old(NOON.date() + timedelta(days=90)) == 0
    assert pages.drop_old(NOON.date() + timedelta(days=91)) == 1
    assert pages.read(1, NOON) is None


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
    client, _ = scripted(make_ledger(), (200, PAGE, {"Date": date}), clock=frozen_clock(NOON))
    with client:
        client.ask(Purpose.DAILY, QUESTION)
        assert client.vendor_now() == known_until


def test_a_range_is_written_to_the_millisecond_and_never_narrower() -> None:
    """A start is rounded down, an end up."""
    instant = datetime(2026, 3, 1, 23, 59, 59, 999_500, UTC)
    assert date_text(instant) == "2026-03-01T23:59:59.999Z"
    assert date_text(instant, is_end=True) == "2026-03-02T00:00:00.000Z"
