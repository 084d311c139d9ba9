"""The two ways out: an HTTPS webhook and mail. Each sends one message, again where that may heal, or says why not.

No secret is in any log or message of an error: not the token, not the password, and not the webhook's URL, into which
many services put their token.
"""

import base64
import binascii
import hashlib
import hmac
import logging
import smtplib
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import httpx
import stamina

from progress_pipeline.alerting.outbox import Message

ATTEMPTS = 3
CONNECT_SECONDS, READ_SECONDS, WHOLE_SECONDS = 5.0, 10.0, 20.0
WAIT_SECONDS = 3.0
LEFT_OUT = "(secret)"
LONGEST_SAID = 300
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_SMTP_PASSING = 500
"""SMTP's answers below this are passing failures (RFC 5321, 4.2.1)."""


class NotTakenError(Exception):
    """A channel did not take a message, for a reason that is fit to be shown.

    Attributes:
        can_heal: Whether a second try may be taken.
    """

    def __init__(self, said: str, *, can_heal: bool) -> None:
        super().__init__(said)
        self.can_heal = can_heal


class Channel(Protocol):
    """A way out.

    Attributes:
        name: What the outbox calls it.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - said above

    def send(self, message: Message) -> None:
        """Send a message.

        Raises:
            NotTakenError: The other side did not take it.
        """


@dataclass(frozen=True)
class WebhookChannel:
    """Posts messages as JSON, named by id so that a repeat is known as one.

    Attributes:
        url: Where to.
        token: Sent as a bearer token, if there is one.
        key: What signatures are made with, if there is one: standardwebhooks.com's `v1`, HMAC-SHA256.
        ca_file: Certificates to trust in place of the system's.
    """

    url: str = field(repr=False)
    token: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    ca_file: Path | None = None
    name: str = "webhook"

    def send(self, message: Message) -> None:
        """Post a message.

        Raises:
            NotTakenError: It was not answered by a 2xx, each time.
        """
        for attempt in _tries():
            with attempt:
                self._post(message)

    def _post(self, message: Message) -> None:
        content = message.body.encode()
        try:
            # The body says nothing that counts, and one that never ends would hold the run for ever.
            with (
                _unlogged(),
                _http(self.ca_file) as client,
                client.stream("POST", self.url, content=content, headers=self._headers(message, content)) as response,
            ):
                pass
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise NotTakenError(self._said(error), can_heal=True) from None
        if not response.is_success:
            host = urlsplit(self.url).hostname
            raise NotTakenError(f"{host} answered {response.status_code}", can_heal=response.status_code in _PASSING)

    def _headers(self, message: Message, content: bytes) -> dict[str, str]:
        at = str(int(time.time()))
        headers = {"Content-Type": "application/json", "webhook-id": message.message_id, "webhook-timestamp": at}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.key:
            signed = b".".join([message.message_id.encode(), at.encode(), content])
            digest = hmac.new(_key_bytes(self.key), signed, hashlib.sha256).digest()
            headers["webhook-signature"] = "v1," + base64.b64encode(digest).decode()
        return headers

    def _said(self, error: Exception) -> str:
        return _clean(error, self.url, urlsplit(self.url).path.strip("/"), self.token, self.key)


@dataclass(frozen=True)
class MailChannel:
    """Sends messages as mail.

    Attributes:
        host: The mail server.
        port: Its port.
        security: starttls, tls or none.
        sender: The address that mails come from.
        recipients: Those that they go to.
        user: Who to log in as, if anybody.
        password: The password for that.
        ca_file: Certificates to trust in place of the system's.
    """

    host: str
    port: int
    security: str
    sender: str
    recipients: tuple[str, ...]
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    name: str = "smtp"

    def send(self, message: Message) -> None:
        """Send a mail.

        Raises:
            NotTakenError: The server did not take it for any recipient.
        """
        for attempt in _tries():
            with attempt:
                try:
                    self._send(message)
                except smtplib.SMTPResponseException as error:
                    said = f"{self.host} answered {error.smtp_code} to the mail"
                    raise NotTakenError(said, can_heal=error.smtp_code < _SMTP_PASSING) from None
                except (smtplib.SMTPException, OSError, ValueError) as error:
                    raise NotTakenError(_clean(error, self.password), can_heal=True) from None

    def _send(self, message: Message) -> None:
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=READ_SECONDS, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=READ_SECONDS)
        with server:
            if self.security == "starttls":
                server.starttls(context=context)
            if self.user:
                server.login(self.user, self.password)
            server.send_message(self._mail(message))

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"] = self.sender, ", ".join(self.recipients)
        mail["Subject"] = f"[progress_pipeline] {message.subject}"
        mail["Date"] = format_datetime(message.made_at)
        mail["Message-ID"] = f"<{message.message_id}@{self.sender.rpartition('@')[2].rstrip('>') or 'localhost'}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answering machine shall answer
        mail.set_content(message.text + "\n")
        return mail


def _tries() -> Iterator[stamina.Attempt]:
    def can_heal(error: Exception) -> bool:
        return isinstance(error, NotTakenError) and error.can_heal

    yield from stamina.retry_context(
        on=can_heal, attempts=ATTEMPTS, timeout=WHOLE_SECONDS, wait_initial=0.5, wait_max=WAIT_SECONDS
    )


def _http(ca_file: Path | None) -> httpx.Client:
    """Open a client that goes nowhere but where it is sent: a redirect would take the token along."""
    return httpx.Client(
        timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
        follow_redirects=False,
        verify=ssl.create_default_context(cafile=ca_file),
    )


@contextmanager
def _unlogged() -> Iterator[None]:
    """Keep httpx from logging the URL, which may hold a token, whatever level the process logs at."""
    loggers = [logging.getLogger(name) for name in ("httpx", "httpcore.http11", "httpcore.connection")]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, was in zip(loggers, before, strict=True):
            logger.disabled = was


def _clean(error: Exception, *secrets: str) -> str:
    """Say what went wrong in one line, without a secret."""
    said = " ".join(f"{type(error).__name__}: {error}".split())
    for secret in filter(None, secrets):
        said = said.replace(secret, LEFT_OUT)
    return said[:LONGEST_SAID].rstrip(": ")


def _key_bytes(key: str) -> bytes:
    """Read a signing key: base64 after `whsec_`, anything else as it is."""
    if key.startswith("whsec_"):
        try:
            return base64.b64decode(key.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            return key.encode()
    return key.encode()
