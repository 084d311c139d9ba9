"""How the sandbox's tests ask it and are told by it: over real sockets, as any client or receiver would."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, TypeAlias

import httpx
import pytest

from progress_pipeline.sandbox.config import SandboxConfig
from progress_pipeline.sandbox.server import Sandbox

Start: TypeAlias = Callable[..., Sandbox]
Ask: TypeAlias = Callable[..., httpx.Response]
Rows: TypeAlias = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a sandbox by switches; all are stopped after the test."""
    with ExitStack() as stack:

        def _start(**switches: Any) -> Sandbox:
            small = {"registrations": 40, "days": 30} | switches
            return stack.enter_context(Sandbox(SandboxConfig(**small)))

        yield _start


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """A client that keeps its connections."""
    # Loading the system's authorities takes longer than most tests, and nothing here is asked by TLS.
    with httpx.Client(timeout=5, trust_env=False, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)) as client:
        yield client


@pytest.fixture
def ask(client: httpx.Client) -> Ask:
    """Asks a sandbox's API, with its token and for many rows unless told otherwise."""

    def _ask(sandbox: Sandbox, **fields: Any) -> httpx.Response:
        return client.post(sandbox.api_url, json={"token": sandbox.token, "number": 100_000} | fields)

    return _ask


@pytest.fixture
def rows(ask: Ask) -> Rows:
    """Asks a sandbox that wraps its rows, and gives them."""

    def _rows(sandbox: Sandbox, **fields: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = ask(sandbox, **fields).json()["rows"]
        return found

    return _rows


@dataclass
class Receiver:
    """A receiver of pushes that keeps what it was sent.

    Attributes:
        url: Where it listens.
        statuses: What it answers, one by one; 200 when they are used up.
        deliveries: Path, headers and body of each request.
    """

    url: str
    statuses: list[int] = field(default_factory=list)
    deliveries: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receive() -> Iterator[Callable[..., Receiver]]:
    """Starts receivers, by HTTP or, with a TLS context, by HTTPS; all are stopped after the test."""
    with ExitStack() as stack:

        def _receive(context: ssl.SSLContext | None = None) -> Receiver:
            receiver = Receiver("")

            class Handler(BaseHTTPRequestHandler):
                def do_POST(self) -> None:
                    body = self.rfile.read(int(self.headers["Content-Length"]))
                    receiver.deliveries.append((self.path, {**self.headers}, body))
                    self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

                def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
                    """Say nothing."""

            server = stack.enter_context(HTTPServer(("127.0.0.1", 0), Handler))
            if context is not None:
                server.socket = context.wrap_socket(server.socket, server_side=True)
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            receiver.url = f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}/hook"
            return receiver

        yield _receive
