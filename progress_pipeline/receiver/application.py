"""What the receiver answers: a bare ASGI application, without a framework.

    POST anything      authenticated and complete: stored raw; 200 with its delivery_id when it is on disk for good
    GET /healthz       200 while the process is alive
    GET /readyz        200 if a delivery would be durable now, else 503

Whatever is in a body is stored; judging it is the loader's work. Who is refused, and why, is told to `refusals` and, by
the status alone, to the client.
"""

import asyncio
import ipaddress
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from progress_pipeline.landing import envelopes
from progress_pipeline.receiver import answers, refusals
from progress_pipeline.receiver.answers import Answer
from progress_pipeline.receiver.committing import GroupCommit
from progress_pipeline.receiver.counts import Counts
from progress_pipeline.receiver.limits import Limits
from progress_pipeline.receiver.naming import DeliveryNames
from progress_pipeline.receiver.refusals import Refusals
from progress_pipeline.receiver.tokens import TokenCheck, TokenMask

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_LARGE = 256 * 1024
"""A body from this size on is hashed and escaped on another thread, so that the others need not wait; one at a time,
since it may take ten times its size meanwhile."""

_CONTENT_TYPE_LENGTH = 200

logger = logging.getLogger("progress_pipeline.receiver")


class Application:
    """Answers requests; all of it on the event loop's thread."""

    def __init__(  # noqa: PLR0913 (it joins the parts, and each has a name)
        self,
        *,
        check: TokenCheck,
        mask: TokenMask,
        commit: GroupCommit,
        names: DeliveryNames,
        refused: Refusals,
        counts: Counts,
        limits: Limits,
        is_behind_proxy: bool,
    ) -> None:
        self._check = check
        self._mask = mask
        self._commit = commit
        self._names = names
        self._refused = refused
        self._counts = counts
        self._limits = limits
        self._is_behind_proxy = is_behind_proxy
        self._held_bytes = 0
        self._one_large = asyncio.Semaphore(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            answer = await self._answer(scope, receive)
        except asyncio.CancelledError:
            answer = self._refuse(scope, answers.UNAVAILABLE, refusals.STOPPING)
        except Exception as error:  # noqa: BLE001 (whatever it is, the sender must be told that nothing is stored)
            # Neither message nor traceback: either could repeat what the client sent.
            logger.error("a request failed unexpectedly: %s", type(error).__name__)  # noqa: TRY400
            answer = self._refuse(scope, answers.UNAVAILABLE, refusals.FAULT)
        finally:
            self._held_bytes -= scope["state"].get("held_bytes", 0)
        if answer is not None:
            await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
            await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer | None:
        """Decide on a request; None if nobody waits for the answer any more."""
        path = scope["path"]
        if path in ("/healthz", "/readyz"):
            return await self._tell_health(path, scope)
        if scope["method"] != "POST":
            return self._refuse(scope, answers.POST_ONLY, refusals.NOT_POST)
        headers = scope["headers"]
        reason = self._check.refusal(scope["query_string"], headers)
        if reason is not None:
            return self._refuse(scope, answers.UNAUTHORIZED, reason)
        content_type: bytes | None = None
        for name, value in headers:
            if name == b"content-length" and int(value) > self._limits.body_bytes:
                return self._refuse(scope, answers.TOO_LARGE, refusals.TOO_LARGE)
            if name == b"content-type":
                content_type = value
        body = await self._read_body(scope, receive)
        if not isinstance(body, bytes):
            return body
        return await self._store(scope, body, content_type)

    async def _read_body(self, scope: Scope, receive: Receive) -> bytes | Answer | None:
        """Read the body to its end; or give the refusal."""
        message = await receive()
        if message["type"] == "http.request" and not message["more_body"]:
            first: bytes = message["body"]
            if len(first) <= self._limits.body_bytes:
                return first
        chunks: list[bytes] = []
        size = 0
        state = scope["state"]
        while True:
            if message["type"] == "http.disconnect":
                if "is_refused" not in state:
                    self._refuse(scope, answers.BAD_REQUEST, refusals.CUT_OFF)
                return None
            if "too_slow" in state:
                return self._refuse(scope, answers.TOO_SLOW, refusals.BODY_TOO_SLOW).closing()
            chunks.append(message["body"])
            size += len(message["body"])
            self._held_bytes += size - state.get("held_bytes", 0)
            state["held_bytes"] = size
            if size > self._limits.body_bytes:
                return self._refuse(scope, answers.TOO_LARGE, refusals.TOO_LARGE)
            if self._held_bytes > self._limits.held_bytes:
                return self._refuse(scope, answers.UNAVAILABLE, refusals.MEMORY_FULL)
            if not message["more_body"]:
                return b"".join(chunks)
            message = await receive()

    async def _store(self, scope: Scope, body: bytes, content_type: bytes | None) -> Answer:
        """Store a delivery, and answer when it is on disk for good."""
        delivery_id, received_at = self._names.next()
        if len(body) < _LARGE:
            line, masked_count = self._write_line(body, content_type, delivery_id, received_at)
        else:
            async with self._one_large:
                made = await asyncio.to_thread(self._write_line, body, content_type, delivery_id, received_at)
            line, masked_count = made
        reason = await self._commit.submit(line)
        if reason is not None:
            return self._refuse(scope, answers.UNAVAILABLE, reason)
        counts = self._counts
        counts.deliveries += 1
        counts.delivered_bytes += len(body)
        counts.masked_tokens += masked_count
        return answers.stored(delivery_id)

    def _write_line(
        self, body: bytes, content_type: bytes | None, delivery_id: str, received_at: str
    ) -> tuple[bytes, int]:
        body, masked_count = self._mask.mask(body)
        content_type_text: str | None = None
        if content_type is not None:
            masked, _ = self._mask.mask(content_type)
            content_type_text = masked[:_CONTENT_TYPE_LENGTH].decode("latin-1")
        line = envelopes.write_line(
            body,
            delivery_id=delivery_id,
            received_at=received_at,
            content_type=content_type_text,
            masked_count=masked_count,
        )
        return line, masked_count

    async def _tell_health(self, path: str, scope: Scope) -> Answer:
        if scope["method"] not in ("GET", "HEAD"):
            return self._refuse(scope, answers.GET_ONLY, refusals.NOT_GET)
        if path == "/healthz":
            return answers.ALIVE
        return answers.READY if await self._commit.is_ready() else answers.NOT_READY

    def _refuse(self, scope: Scope, answer: Answer, reason: str) -> Answer:
        """Note a refusal; one that leaves a body unsent, since it was to wait for our word, ends the connection."""
        self._refused.note(self._client(scope), answer.status, reason)
        return answer.closing() if any(name == b"expect" for name, _ in scope["headers"]) else answer

    def _client(self, scope: Scope) -> str | None:
        """Give the sender's address: the peer's or, behind a proxy on this machine, the one that the proxy saw."""
        if self._is_behind_proxy:
            forwarded = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
            if forwarded:
                try:
                    return str(ipaddress.ip_address(forwarded[-1].split(b",")[-1].strip().decode("ascii")))
                except ValueError:
                    return None
        client = scope["client"]
        return client[0] if client else None
