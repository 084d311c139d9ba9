"""uvicorn's HTTP protocol (httptools) with the bounds that it lacks: on the head's size, and on everybody's time.

What ends here never reached the application: a head that is too slow, too large or no HTTP at all, a client that is
gone. What the application must answer, a body that is too slow, it is told through the request's state.
"""

import asyncio
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from progress_pipeline.receiver import answers, refusals
from progress_pipeline.receiver.answers import Answer
from progress_pipeline.receiver.connections import Connections, Phase
from progress_pipeline.receiver.limits import Limits
from progress_pipeline.receiver.refusals import Refusals

_GOODBYE_SECONDS = 0.05


class _TooMuchError(Exception):
    """Raised through the parser, to end the parsing."""


class BoundedProtocol(HttpToolsProtocol):
    """One HTTP connection."""

    def __init__(
        self, config: Config, server_state: ServerState, *, connections: Connections, refused: Refusals, limits: Limits
    ) -> None:
        super().__init__(config, server_state, {})
        self.phase = Phase.HEAD
        self.since = 0.0
        self._connections = connections
        self._refused = refused
        self._limits = limits
        self._head_bytes = 0
        self._body_bytes = 0
        self._framing_bytes = 0
        self._too_much: str | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request's head."""
        super().connection_made(transport)
        self._connections.enter(self, Phase.HEAD, self.loop.time())

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._connections.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, unless it makes a head, or what frames a body (chunk sizes, trailers), too large."""
        if self.phase is not Phase.BODY:
            self._head_bytes += len(data)
        body_bytes = self._body_bytes
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self.phase is Phase.HEAD:
            if self._head_bytes > self._limits.head_bytes:
                self._end(answers.HEAD_TOO_LARGE, refusals.HEAD_TOO_LARGE)
        elif self.phase is Phase.BODY:
            self._framing_bytes += len(data) - (self._body_bytes - body_bytes)
            if self._framing_bytes > self._limits.framing_bytes:
                self._end(answers.BAD_REQUEST, refusals.FRAMING_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Note a request's first byte; the first request's time counts from the connection."""
        super().on_message_begin()
        self._framing_bytes = 0
        if self.phase is Phase.IDLE:
            self._connections.enter(self, Phase.HEAD, self.loop.time())

    def on_headers_complete(self) -> None:
        """Go on to the body; its time counts from the request's first byte."""
        if self._head_bytes > self._limits.head_bytes:
            size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if size > self._limits.head_bytes:
                self._too_much = refusals.HEAD_TOO_LARGE
                raise _TooMuchError
        if len(self.pipeline) >= self._limits.requests_ahead:
            self._too_much = refusals.TOO_MANY_AHEAD
            raise _TooMuchError
        self._head_bytes = 0
        if self.phase is Phase.HEAD:
            self.phase = Phase.BODY
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count the body's own bytes."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Wait for our own answer, unless it was given before the body's end."""
        super().on_message_complete()
        if self.phase is Phase.BODY:
            is_answered = self.cycle is not None and self.cycle.response_complete
            self._connections.enter(self, Phase.IDLE if is_answered else Phase.ANSWER, self.loop.time())

    def on_response_complete(self) -> None:
        """Wait for the next request, once the body of this one is through."""
        if self.phase is Phase.ANSWER:
            self._connections.enter(self, Phase.IDLE, self.loop.time())
        super().on_response_complete()

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Answer who will send no more: in the middle of a request, that it was cut off."""
        if self.phase is Phase.ANSWER and self.scheme == "http":
            self.cycle.keep_alive = False
            return True
        if self.phase is Phase.BODY or (self.phase is Phase.HEAD and self._head_bytes):
            self._end(answers.BAD_REQUEST, refusals.CUT_OFF)
        return None

    def send_400_response(self, msg: str) -> None:
        """Answer what the parser could not read; its message is not repeated."""
        del msg
        is_head = self._too_much == refusals.HEAD_TOO_LARGE
        self._end(answers.HEAD_TOO_LARGE if is_head else answers.BAD_REQUEST, self._too_much or refusals.NOT_HTTP)

    def shutdown(self) -> None:
        """End when what is under way is answered; who is idle is given a moment to say goodbye, not more."""
        super().shutdown()
        if self.transport.is_closing():
            self.loop.call_later(_GOODBYE_SECONDS, self.transport.abort)

    def cut(self, *, is_crowded: bool) -> None:
        """End the connection, since its time is over or another needs its place."""
        if is_crowded:
            self._refused.note(self._host, None, refusals.TOO_MANY)
            self.transport.abort()
        elif self.phase is Phase.BODY and not self.cycle.response_complete:
            self._connections.enter(self, Phase.ANSWER, self.loop.time())
            self.cycle.scope["state"]["too_slow"] = True
            self.cycle.message_event.set()
        elif self.transport.is_closing() or self.phase in {Phase.BODY, Phase.ANSWER}:
            self.transport.abort()
        elif self.phase is Phase.HEAD and self._head_bytes:
            self._end(answers.TOO_SLOW, refusals.HEAD_TOO_SLOW)
        else:
            self.transport.close()

    @property
    def _host(self) -> str | None:
        return self.client[0] if self.client else None

    def _end(self, answer: Answer, reason: str) -> None:
        """Answer without the application, and close."""
        self._refused.note(self._host, answer.status, reason)
        if self.scope is not None:
            state: dict[str, Any] = self.scope["state"]
            state["is_refused"] = True
        head = [STATUS_LINE[answer.status]]
        for name, value in (*self.server_state.default_headers, *answer.closing().headers):
            head += [name, b": ", value, b"\r\n"]
        self.transport.write(b"".join([*head, b"\r\n", answer.body]))
        self.transport.close()
