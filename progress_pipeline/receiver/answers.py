"""The receiver's answers: a status and a line of JSON, made once and sent many times."""

from dataclasses import dataclass
from http import HTTPStatus

import msgspec


@dataclass(frozen=True)
class Answer:
    """What is sent back."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def closing(self) -> "Answer":
        """Give the same answer, after which the connection is closed."""
        return Answer(self.status, (*self.headers, (b"connection", b"close")), self.body)


def answer(status: HTTPStatus, content: object, *headers: tuple[bytes, bytes]) -> Answer:
    """Make an answer of JSON."""
    body = msgspec.json.encode(content)
    return Answer(int(status), (*_headers(body), *headers), body)


def stored(delivery_id: str) -> Answer:
    """Make the answer to a delivery that is on disk for good."""
    body = b'{"delivery_id":"%s"}' % delivery_id.encode("ascii")
    return Answer(200, _headers(body), body)


def _headers(body: bytes) -> tuple[tuple[bytes, bytes], ...]:
    return (
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    )


_RETRY = (b"retry-after", b"1")

ALIVE = answer(HTTPStatus.OK, {"status": "alive"})
READY = answer(HTTPStatus.OK, {"status": "ready"})
NOT_READY = answer(HTTPStatus.SERVICE_UNAVAILABLE, {"status": "not ready"}, _RETRY)
UNAUTHORIZED = answer(
    HTTPStatus.UNAUTHORIZED, {"error": "unauthorized"}, (b"www-authenticate", b'Token realm="webhook"')
)
POST_ONLY = answer(HTTPStatus.METHOD_NOT_ALLOWED, {"error": "only POST"}, (b"allow", b"POST"))
GET_ONLY = answer(HTTPStatus.METHOD_NOT_ALLOWED, {"error": "only GET"}, (b"allow", b"GET, HEAD"))
TOO_LARGE = answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"error": "body too large"})
HEAD_TOO_LARGE = answer(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, {"error": "headers too large"})
TOO_SLOW = answer(HTTPStatus.REQUEST_TIMEOUT, {"error": "too slow"})
BAD_REQUEST = answer(HTTPStatus.BAD_REQUEST, {"error": "bad request"})
UNAVAILABLE = answer(HTTPStatus.SERVICE_UNAVAILABLE, {"error": "not stored; send it again"}, _RETRY)
