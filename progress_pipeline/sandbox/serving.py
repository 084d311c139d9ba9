"""A small HTTP/1.1 server on loopback, in threads, that can also fail as servers and networks do.

Each answer leaves in one write. What is answered is decided by others; here are only sockets.
"""

import contextlib
import socket
import struct
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from progress_pipeline.errors import UsageError
from progress_pipeline.sandbox.answering import Answer
from progress_pipeline.sandbox.config import SandboxConfig

CHUNK = b" " * 1_000_000
Route = Callable[[str, str, bytes], Answer]
"""Answers a method, a path and a body."""


class Server(ThreadingHTTPServer):
    """Serves one route on a loopback port until it is stopped.

    Args:
        port: The port; 0 lets the system choose.
        route: Answers requests.
        clock: What the Date header says.
        switches: Gives the switches as they are now.
    """

    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def __init__(
        self, port: int, route: Route, clock: Callable[[], datetime], switches: Callable[[], SandboxConfig]
    ) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.route, self.clock, self.switches = route, clock, switches
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        self._thread = threading.Thread(target=self._serve, name="sandbox", daemon=True)

    def server_bind(self) -> None:
        """Bind without looking up the machine's name, which can take seconds and serves nobody."""
        try:
            TCPServer.server_bind(self)
        except OSError as error:
            raise UsageError(
                f"The sandbox cannot listen on port {self.server_address[1]}: {error.strerror}. Give another port, "
                "or 0 to let the system choose."
            ) from error

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def start(self) -> None:
        """Serve from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Cut all connections and end all threads."""
        self.stopping.set()
        with contextlib.suppress(OSError):  # one last connection wakes the accepting thread
            socket.create_connection(("127.0.0.1", self.server_address[1]), timeout=1).close()
        self._thread.join()
        with self._open_lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def _serve(self) -> None:
        while not self.stopping.is_set():
            self.handle_request()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Keep the connection in mind, to be able to cut it."""
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection."""
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up; anything else is a defect and is shown."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One connection, kept alive for as many requests as the client likes."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answer a request."""
        length = self.headers.get("Content-Length", "0")
        body = self.rfile.read(int(length)) if length.isdigit() else b""
        self._send(self.server.route(self.command, self.path, body))

    do_GET = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_POST  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing: a path may hold a token."""

    def _send(self, answer: Answer) -> None:
        fault = answer.fault
        if fault == "timeout":
            self.server.stopping.wait(self.server.switches().timeout_seconds)
            self.close_connection = True
        elif fault == "reset":
            self._reset()
        elif fault == "half_answer":
            self._write(answer, len(answer.body), answer.body[: len(answer.body) // 2])
            self.close_connection = True
        elif fault == "huge":
            padding = self.server.switches().huge_bytes
            self._write(answer, len(answer.body) + padding, answer.body)
            for sent in range(0, padding, len(CHUNK)):
                self.wfile.write(CHUNK[: padding - sent])
        elif fault == "cut_json":
            body = answer.body[: len(answer.body) * 2 // 3]
            self._write(answer, len(body), body)
        elif fault == "wrong_content_type":
            self._write(replace(answer, content_type="text/plain"), len(answer.body), answer.body)
        else:
            self._write(answer, len(answer.body), answer.body)

    def _write(self, answer: Answer, length: int, body: bytes) -> None:
        head = [
            f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
            f"Date: {format_datetime(self.server.clock(), usegmt=True)}",
            f"Content-Type: {answer.content_type}",
            f"Content-Length: {length}",
            *(f"{name}: {value}" for name, value in answer.headers),
        ]
        text = "\r\n".join(head) + "\r\n\r\n"
        self.wfile.write(text.encode("ascii") + (b"" if self.command == "HEAD" else body))

    def _reset(self) -> None:
        """Close with a TCP reset in place of an orderly end."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.connection.close()
