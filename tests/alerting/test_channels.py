"""The two ways out, against a real HTTPS endpoint and a real mail server on loopback."""

import base64
import hashlib
import hmac
import logging
import socket
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from progress_pipeline.alerting.channels import READ_SECONDS, MailChannel, NotTakenError, WebhookChannel
from progress_pipeline.alerting.outbox import Message
from tests.alerting.receiving import HOST, Authority, Endpoint, MailServer

MESSAGE = Message("msg_1", "1 gap open", "One gap.\nIt is open ✓.", '{"a":1}', datetime(2026, 1, 10, 5, tzinfo=UTC))


def mail_to(port: int, authority: Authority, **changes: Any) -> MailChannel:
    """Make a channel to a mail server on loopback."""
    plain: dict[str, Any] = {
        "security": "starttls",
        "sender": "pipeline@example.invalid",
        "recipients": ("ada@example.invalid", "eve@example.invalid"),
        "user": "alerts",
        "password": "a password of alerts",
        "ca_file": authority.ca_file,
    }
    return MailChannel(HOST, port, **{**plain, **changes})


def test_a_webhook_is_signed_so_that_its_receiver_can_check_it(endpoint: Endpoint) -> None:
    """As standardwebhooks.com has it: id, time and body, with the key that stands after `whsec_` in base64."""
    key = b"0123456789abcdef0123456789abcdef"
    channel = WebhookChannel(
        endpoint.url,
        token="a-bearer-token",
        key="whsec_" + base64.b64encode(key).decode(),
        ca_file=endpoint.authority.ca_file,
    )
    channel.send(MESSAGE)
    ((headers, body),) = endpoint.received
    signed = f"msg_1.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["authorization"] == "Bearer a-bearer-token"
    assert (headers["webhook-id"], headers["content-type"], body) == ("msg_1", "application/json", b'{"a":1}')


@pytest.mark.parametrize(("status", "tries"), [(503, 2), (429, 2), (401, 1), (404, 1), (307, 1)])
def test_only_what_may_heal_is_tried_again_and_no_redirect_is_followed(
    endpoint: Endpoint, status: int, tries: int
) -> None:
    """A token that is refused is refused the second time too; a redirect would carry it elsewhere."""
    endpoint.status = status
    with pytest.raises(NotTakenError, match=f"answered {status}"):
        WebhookChannel(endpoint.url, ca_file=endpoint.authority.ca_file).send(MESSAGE)
    assert len(endpoint.received) == tries


def test_an_endpoint_that_nobody_vouches_for_is_told_nothing(endpoint: Endpoint) -> None:
    """Its certificate is not known to the system."""
    with pytest.raises(NotTakenError, match="CERTIFICATE_VERIFY_FAILED"):
        WebhookChannel(endpoint.url).send(MESSAGE)
    assert endpoint.received == []


def test_no_secret_is_in_a_log_an_error_or_a_repr(
    endpoint: Endpoint, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    """Not when all is well, not when the endpoint is away, whatever level the process logs at."""
    caplog.set_level(logging.DEBUG)
    channel = WebhookChannel(endpoint.url, token="bearer-secret", key="signing-secret-16", ca_file=authority.ca_file)
    channel.send(MESSAGE)
    away = WebhookChannel("https://127.0.0.1:1/hooks/path-token", token="bearer-secret", ca_file=authority.ca_file)
    with pytest.raises(NotTakenError) as told:
        away.send(MESSAGE)
    mail = mail_to(1, authority)
    with pytest.raises(NotTakenError) as told_by_mail:
        mail.send(MESSAGE)
    said = caplog.text + repr([channel, away, mail]) + str(told.value) + str(told_by_mail.value)
    for secret in ("path-token", "bearer-secret", "signing-secret", "password of alerts"):
        assert secret not in said


def test_certificates_that_are_not_there_are_named(endpoint: Endpoint, tmp_path: Path) -> None:
    """The run goes on."""
    with pytest.raises(NotTakenError, match="FileNotFoundError"):
        WebhookChannel(endpoint.url, ca_file=tmp_path / "none.pem").send(MESSAGE)


def test_an_answer_whose_body_never_ends_holds_nobody_up() -> None:
    """The status alone counts: the message is taken, and the body is not waited for."""

    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            while connection.recv(65536):
                pass

    with socket.create_server((HOST, 0)) as listener:
        thread = threading.Thread(target=answer)
        thread.start()
        began = time.monotonic()
        WebhookChannel(f"http://{HOST}:{listener.getsockname()[1]}/").send(MESSAGE)
        assert time.monotonic() - began < READ_SECONDS
        thread.join()


def test_a_mail_arrives_over_tls_for_all_recipients(authority: Authority) -> None:
    """By STARTTLS, after a login; the id is the message's, so that a repeat is known as one."""
    server = MailServer()
    with server.up(authority) as port:
        mail_to(port, authority).send(MESSAGE)
    (((*recipients,), mail),) = server.mails
    assert recipients == ["ada@example.invalid", "eve@example.invalid"]
    assert mail["Subject"] == "[progress_pipeline] 1 gap open"
    assert mail["Message-ID"] == "<msg_1@example.invalid>"
    assert mail.get_content().splitlines() == MESSAGE.text.splitlines()
    assert server.is_over_tls == [True]


def test_a_mail_server_that_refuses_the_login_is_told_of_once(authority: Authority) -> None:
    """A wrong password does not heal; what the server said is not repeated, its number is."""
    server = MailServer()
    with server.up(authority) as port, pytest.raises(NotTakenError, match="answered 535"):
        mail_to(port, authority, password="wrong").send(MESSAGE)
    assert server.mails == []


def test_a_mail_server_that_nobody_vouches_for_gets_no_password(authority: Authority) -> None:
    """STARTTLS with a certificate that is not known ends there."""
    server = MailServer()
    with server.up(authority) as port, pytest.raises(NotTakenError, match="CERTIFICATE_VERIFY_FAILED"):
        mail_to(port, authority, ca_file=None).send(MESSAGE)
    assert server.mails == []


def test_one_recipient_who_is_not_known_keeps_no_other_from_being_told(authority: Authority) -> None:
    """The mail goes to the rest."""
    server = MailServer(refused=("ada@example.invalid",))
    with server.up(authority) as port:
        mail_to(port, authority).send(MESSAGE)
    assert [recipients for recipients, _ in server.mails] == [("eve@example.invalid",)]


def test_a_mail_server_that_knows_no_recipient_took_nothing(authority: Authority) -> None:
    """The message waits."""
    server = MailServer(refused=("ada@example.invalid", "eve@example.invalid"))
    with server.up(authority) as port, pytest.raises(NotTakenError, match="Recipients"):
        mail_to(port, authority).send(MESSAGE)
