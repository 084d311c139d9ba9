"""Who is told: an HTTPS endpoint and a mail server, both real, on loopback, that can be away and come back."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

HOST = "127.0.0.1"


@dataclass
class Authority:
    """A certificate authority of its own, and a certificate for this machine."""

    folder: Path

    def __post_init__(self) -> None:
        authority = trustme.CA()
        self.ca_file = self.folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(HOST, "localhost").configure_cert(self.server)


@dataclass
class Endpoint:
    """An HTTPS endpoint.

    Attributes:
        port: Where it listens; the same after it was away.
        received: Headers and bodies of all that it was sent.
        status: What it answers.
        on_post: Is called before it answers.
    """

    authority: Authority
    port: int = 0
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    status: int = 200
    on_post: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"https://{HOST}:{self.port}/hooks/path-token"

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """What it took, read."""
        return [msgspec.json.decode(body) for _, body in self.received]

    @contextmanager
    def up(self) -> Iterator[None]:
        """Be there."""
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                endpoint.received.append((headers, body))
                endpoint.on_post()
                self.send_response(endpoint.status)
                if endpoint.status == 307:
                    self.send_header("Location", "https://127.0.0.1:1/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer((HOST, self.port), Handler)
        server.daemon_threads = True
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client may be killed
        self.port = server.server_port
        server.socket = self.authority.server.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


@dataclass
class MailServer:
    """A mail server that takes mail for whoever logs in.

    Attributes:
        mails: What it took, with the recipients of the envelope.
        refused: Recipients that it knows not.
        is_over_tls: For each mail, whether it came over TLS.
    """

    user: bytes = b"alerts"
    password: bytes = b"a password of alerts"
    refused: tuple[str, ...] = ()
    mails: list[tuple[tuple[str, ...], EmailMessage]] = field(default_factory=list)
    is_over_tls: list[bool] = field(default_factory=list)

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: Any, data: Any) -> AuthResult:
        """Know one user."""
        known = isinstance(data, LoginPassword) and (data.login, data.password) == (self.user, self.password)
        return AuthResult(success=known, handled=False)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's own name
        self, _server: Any, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take or refuse a recipient."""
        if address in self.refused:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        """Take a mail."""
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append((tuple(envelope.rcpt_tos), mail))
        self.is_over_tls.append(session.ssl is not None)
        return "250 OK"

    @contextmanager
    def up(self, authority: Authority) -> Iterator[int]:
        """Be there, by STARTTLS alone; give the port."""
        with socket.socket() as free:  # aiosmtpd wants to know its port beforehand
            free.bind((HOST, 0))
            port = int(free.getsockname()[1])
        controller = Controller(
            self,
            hostname=HOST,
            port=port,
            tls_context=authority.server,
            require_starttls=True,
            authenticator=self.authenticate,
            auth_required=True,
        )
        controller.start()
        try:
            yield port
        finally:
            controller.stop()
