"""Sending a question over HTTP and taking its answer in, within bounds of time and size.

The token travels in the body, over TLS (or to this machine itself), and is in no message, log or repr; redirects are
not followed, so it goes nowhere else. Should an answer hold it, it is taken out before anybody reads it.
"""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx

from progress_pipeline.addresses import is_loopback
from progress_pipeline.errors import SettingsError
from progress_pipeline.vendor.answering import ERROR_BODY_BYTES

MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Limits:
    """How long and how often a call is tried, and how much it may bring.

    Attributes:
        connect_seconds: To reach the vendor.
        read_seconds: Between two pieces of an answer.
        whole_seconds: For a whole answer.
        body_bytes: Of a body.
        attempts: Calls for one question.
        wait_seconds: The longest wait that a Retry-After is granted; beyond it, the day's limit is meant.
    """

    connect_seconds: float = 10.0
    read_seconds: float = 60.0
    whole_seconds: float = 300.0
    body_bytes: int = 256 * MEBIBYTE
    attempts: int = 4
    wait_seconds: float = 60.0


class Sender:
    """Sends questions to one endpoint.

    Args:
        url: The full endpoint.
        token: The API's token.
        limits: How long, how much.
        transport: Stands in for the network.

    Attributes:
        host: The endpoint's.
        is_double: Whether it is this machine.
    """

    def __init__(self, url: str, token: str, limits: Limits, transport: httpx.BaseTransport | None) -> None:
        self._url = httpx.URL(url)
        self.host = self._url.host
        self.is_double = is_loopback(self.host)
        if self._url.scheme != "https" and not self.is_double:
            raise SettingsError(
                f"PROGRESS_API_URL must begin with https://, since the token travels to it; it is {self._url}."
            )
        self._token = token
        self._limits = limits
        self._http = httpx.Client(
            timeout=httpx.Timeout(limits.read_seconds, connect=limits.connect_seconds),
            follow_redirects=False,
            trust_env=not self.is_double,
            transport=transport,
            headers={"Accept": "application/json", "Content-Type": "application/json"},
        )

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def send(self, fields: Mapping[str, object], begun: float) -> tuple[int, httpx.Headers, bytes]:
        """Send a question, and give the answer's status, headers and body, of a failure its beginning.

        Args:
            fields: What is asked, without the token.
            begun: When it was begun, by the machine's monotonic clock.

        Raises:
            httpx.HTTPError: It was not sent, or no whole answer came.
            TimeoutError: The whole took too long.
        """
        content = json.dumps({"token": self._token, **fields}).encode()
        with self._http.stream("POST", self._url, content=content) as response:
            limit = self._limits.body_bytes if response.is_success else ERROR_BODY_BYTES
            body = b"".join(self._pieces(response, limit, begun))
        for written in (self._token, json.dumps(self._token)[1:-1], json.dumps(self._token, ensure_ascii=False)[1:-1]):
            body = body.replace(written.encode(), b"(token)")
        return response.status_code, response.headers, body

    def _pieces(self, response: httpx.Response, limit: int, begun: float) -> Iterator[bytes]:
        size = 0
        for piece in response.iter_bytes():
            size += len(piece)
            if size > limit and response.is_success:
                raise httpx.DecodingError(f"its answer is larger than {limit} bytes", request=None)
            if time.monotonic() - begun > self._limits.whole_seconds:
                raise TimeoutError(f"its answer took more than {self._limits.whole_seconds:.0f} seconds")
            yield piece
            if size > limit:
                return
