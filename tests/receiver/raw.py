"""Speaks to a receiver in bytes, where an HTTP library would be too polite."""

import socket
import ssl
import time
from types import TracebackType
from typing import Self


class RawConnection:
    """One connection, with or without TLS; ends with its context."""

    def __init__(self, port: int, trust: ssl.SSLContext | None = None, timeout: float = 10) -> None:
        plain = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket = trust.wrap_socket(plain, server_hostname="localhost") if trust else plain

    def send(self, content: bytes) -> None:
        """Send bytes."""
        self.socket.sendall(content)

    def receive(self) -> bytes:
        """Give all that comes until the other side ends."""
        parts = []
        try:
            while part := self.socket.recv(65_536):
                parts.append(part)
        except ConnectionResetError:
            pass
        return b"".join(parts)

    def receive_answer(self) -> bytes:
        """Give one answer, as far as its end shows in it."""
        answer = b""
        while b"\r\n\r\n" not in answer or not answer.rstrip().endswith(b"}"):
            part = self.socket.recv(65_536)
            if not part:
                break
            answer += part
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.socket.close()


def status_of(answer: bytes) -> int:
    """Give an answer's status; 0 if there was none."""
    return int(answer.split(b" ", 2)[1]) if answer else 0


class Stopwatch:
    """Tells the seconds since it was made."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since then."""
        return time.monotonic() - self._start
