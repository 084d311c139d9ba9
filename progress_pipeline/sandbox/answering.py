"""The API's logic: from the bytes of a request to the answer, with the call counted.

Knows nothing of sockets; what happens to an answer on its way is the matter of `serving`.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any

import msgspec
import numpy as np

from progress_pipeline.sandbox.chance import draws, generator
from progress_pipeline.sandbox.config import SandboxConfig, TransportFault
from progress_pipeline.sandbox.counting import CallCount
from progress_pipeline.sandbox.drift import Drift
from progress_pipeline.sandbox.instants import from_us
from progress_pipeline.sandbox.listing import Listing
from progress_pipeline.sandbox.rendering import Renderer
from progress_pipeline.sandbox.request import BadRequestError, Request, read_request

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
MAINTENANCE = b"<!doctype html><title>Maintenance</title><h1>We will be back soon</h1>"


@dataclass(frozen=True)
class Answer:
    """What the vendor answers, and what befalls it on its way.

    Attributes:
        status: The HTTP status.
        body: The whole body.
        content_type: Its type.
        headers: Further headers.
        fault: What goes wrong while it is sent.
    """

    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    fault: TransportFault | None = None


@dataclass(frozen=True)
class CallTruth:
    """One call as the vendor saw it.

    Attributes:
        number: Counted from 1 over the sandbox's life, refused ones too.
        at: The sandbox's time.
        request: The request's fields, less the token.
        status: The HTTP status of the answer.
        is_counted: Whether it counts towards the day's calls.
        row_count: Rows in the answer.
        fault: What befell it.
    """

    number: int
    at: datetime
    request: dict[str, Any]
    status: int
    is_counted: bool
    row_count: int
    fault: TransportFault | None


@dataclass
class _Call:
    """A call while it is answered."""

    number: int
    now: int
    asked: dict[str, Any] = field(default_factory=dict)
    is_counted: bool = False
    row_count: int = 0


@dataclass(frozen=True)
class Shown:
    """What the API answers from: the list, what writes its rows, and what moves it between calls."""

    listing: Listing
    renderer: Renderer
    drift: Drift


class Api:
    """The vendor's API over one world.

    Args:
        config: The switches.
        token: The token that it accepts.
        shown: What it answers from.
        clock: Gives the present instant in microseconds.
    """

    def __init__(self, config: SandboxConfig, token: str, shown: Shown, clock: Callable[[], int]) -> None:
        self.config, self._token, self.shown, self._clock = config, token, shown, clock
        self._lock = threading.Lock()
        self.count = CallCount()
        self.calls: list[CallTruth] = []

    def change(self, config: SandboxConfig, shown: Shown) -> None:
        """Answer by other switches from now on."""
        with self._lock:
            self.config, self.shown = config, shown

    def use_calls(self, number: int) -> None:
        """Count calls, as far as the day has some left, that another client with the same token made."""
        with self._lock:
            for _ in range(number):
                self.count.take(self.config, self._clock())

    def answer(self, method: str, body: bytes) -> Answer:
        """Answer one request; only a POST is a call."""
        if method != "POST":
            return _error(HTTPStatus.METHOD_NOT_ALLOWED, "Use POST")
        if self.config.answer_delay_seconds:
            time.sleep(self.config.answer_delay_seconds)
        with self._lock:
            call = _Call(len(self.calls) + 1, self._clock())
            answer = self._answer(call, body)
            self.calls.append(
                CallTruth(
                    call.number,
                    from_us(call.now),
                    {name: value for name, value in call.asked.items() if name != "token"},
                    answer.status,
                    call.is_counted,
                    call.row_count,
                    answer.fault,
                )
            )
        return answer

    def _answer(self, call: _Call, body: bytes) -> Answer:
        refusal = self._refuse(call, body)
        if refusal is not None:
            return refusal
        call.is_counted = True
        fault = self._fault(call.number)
        if fault in _FAULTY_ANSWERS:
            return replace(_FAULTY_ANSWERS[fault], fault=fault)
        try:
            request = read_request(call.asked, self.config, call.now)
        except BadRequestError as error:
            return _error(HTTPStatus.BAD_REQUEST, str(error))
        shown = self.shown
        shown.drift.move(call.number, call.now, shown.listing, shown.renderer)
        return replace(self._page(call, request, fault), fault=fault)

    def _refuse(self, call: _Call, body: bytes) -> Answer | None:
        """Refuse a call that is not counted, or count it."""
        config = self.config
        try:
            call.asked = msgspec.json.decode(body, type=dict[str, Any])
        except msgspec.MsgspecError:
            return _error(HTTPStatus.BAD_REQUEST, "The body is no JSON object")
        if any(span.holds(from_us(call.now)) for span in config.maintenance):
            return Answer(HTTPStatus.SERVICE_UNAVAILABLE, MAINTENANCE, HTML)
        if call.asked.get("token") != self._token:
            return _error(config.wrong_token_status, "Invalid token")
        wait_seconds = self.count.take(config, call.now)
        return None if wait_seconds is None else _over_limit(config, wait_seconds)

    def _page(self, call: _Call, request: Request, fault: TransportFault | None) -> Answer:
        shuffle = None
        if self.config.ties == "shuffled":
            shuffle = np.random.default_rng([self.config.seed, call.number])
        rows = self.shown.listing.select(request.question, call.now, shuffle)
        page = rows[request.offset : request.offset + request.number].tolist()
        if fault == "empty_page":
            page = []
        elif fault == "short_page":
            page = page[: len(page) // 2]
        call.row_count = len(page)
        texts = self.shown.renderer.write_for(call.number, page, self.config)
        return Answer(HTTPStatus.OK, self._envelop(texts, len(rows)))

    def _envelop(self, texts: Sequence[bytes], total: int) -> bytes:
        config = self.config
        if config.envelope == "object" and len(texts) == 1:
            return texts[0]
        array = b"[" + b",".join(texts) + b"]"
        if config.envelope != "rows":
            return array
        if config.count == "missing":
            return b'{"rows":' + array + b"}"
        count = total if config.count == "total" else len(texts)
        return b'{"count":%d,"rows":%s}' % (count, array)

    def _fault(self, number: int) -> TransportFault | None:
        config = self.config
        if number in config.faults:
            return config.faults[number]
        if config.fault_share <= 0 or draws(config.seed, f"call {number}", 1)[0] >= config.fault_share:
            return None
        return generator(config.seed, f"fault {number}").choice(config.fault_kinds)


def not_found() -> Answer:
    """Answer a path that is not the API's."""
    return _error(HTTPStatus.NOT_FOUND, "Not found")


def _error(status: int, message: str) -> Answer:
    return Answer(status, msgspec.json.encode({"error": message}))


def _over_limit(config: SandboxConfig, wait_seconds: int) -> Answer:
    answer = _error(int(config.over_limit[:3]), "The daily limit of calls is reached")
    if config.over_limit == "429_retry_after":
        return replace(answer, headers=(("Retry-After", str(wait_seconds)),))
    return answer


_FAULTY_ANSWERS: dict[TransportFault | None, Answer] = {
    "html": Answer(HTTPStatus.OK, b"<!doctype html><title>Sign in</title><form></form>", HTML),
    "500": _error(HTTPStatus.INTERNAL_SERVER_ERROR, "An unexpected error occurred"),
    "502": Answer(HTTPStatus.BAD_GATEWAY, b"<html><h1>502 Bad Gateway</h1></html>", HTML),
    "503": Answer(HTTPStatus.SERVICE_UNAVAILABLE, b"", HTML),
    "429": replace(_error(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests"), headers=(("Retry-After", "1"),)),
}
"""Answers that hold no rows, whatever was asked."""
