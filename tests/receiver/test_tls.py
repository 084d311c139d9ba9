"""TLS 1.2 and 1.3 with AEAD alone; a changed certificate is taken without a failed request, a broken one is not."""

import os
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from progress_pipeline.clock import system_clock
from progress_pipeline.errors import SettingsError
from progress_pipeline.receiver import tls
from progress_pipeline.receiver.limits import Limits
from progress_pipeline.receiver.server import Receiver
from progress_pipeline.settings import Settings
from tests.receiver.conftest import TOKEN, TOKEN_NAME, Authority, Refused, delivered_ids
from tests.receiver.raw import RawConnection


def serial(port: int, authority: Authority) -> int:
    """Give the serial number of the certificate that new connections are shown."""
    with RawConnection(port, authority.trust) as connection:
        shown = connection.socket
        assert isinstance(shown, ssl.SSLSocket)
        peer = shown.getpeercert()
        assert peer is not None
        return int(str(peer["serialNumber"]), 16)


def replace_pair(settings: Settings, certificate: Path, key: Path) -> None:
    """Put another pair in the place of the one in use, one file after the other, as ACME clients do."""
    assert settings.webhook_tls_cert is not None
    assert settings.webhook_tls_key is not None
    certificate.replace(settings.webhook_tls_cert)
    key.replace(settings.webhook_tls_key)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_are_served_with_aead_and_forward_secrecy(
    shared: Receiver, authority: Authority, version: ssl.TLSVersion
) -> None:
    """Whatever else a client offers."""
    trust = ssl.create_default_context()
    authority.ca.configure_trust(trust)
    trust.minimum_version = trust.maximum_version = version
    trust.set_ciphers("ALL:@SECLEVEL=0")
    with RawConnection(shared.port, trust) as connection:
        assert isinstance(connection.socket, ssl.SSLSocket)
        chosen = connection.socket.cipher()
        assert chosen is not None
        assert "GCM" in chosen[0] or "CHACHA20" in chosen[0]
        assert chosen[0].startswith(("ECDHE", "TLS_"))


@pytest.mark.parametrize("ciphers", ["AES128-SHA:AES256-SHA", "ECDHE-ECDSA-AES128-SHA256", "AES128-GCM-SHA256"])
def test_weaker_ciphers_are_refused_and_the_operator_is_told(
    shared: Receiver, authority: Authority, refusals_told: Callable[[], list[Refused]], ciphers: str
) -> None:
    """Without AEAD, or without forward secrecy."""
    trust = ssl.create_default_context()
    authority.ca.configure_trust(trust)
    trust.maximum_version = ssl.TLSVersion.TLSv1_2
    trust.set_ciphers(ciphers)
    with pytest.raises(ssl.SSLError):
        RawConnection(shared.port, trust).__enter__()
    assert refusals_told() == [(0, "handshake: no shared cipher")]


def test_plain_http_on_the_tls_port_gets_nothing(shared: Receiver, refusals_told: Callable[[], list[Refused]]) -> None:
    """Not even a hint; the operator learns what was tried."""
    with RawConnection(shared.port) as connection:
        connection.send(b"POST / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert b"HTTP" not in connection.receive()
    assert refusals_told() == [(0, "handshake: http request")]


def test_a_sender_that_does_not_trust_the_certificate_shows_in_the_refusals(
    shared: Receiver, refusals_told: Callable[[], list[Refused]]
) -> None:
    """The vendor's sender refuses self-signed certificates, and this is the only sign of it on our side."""
    with pytest.raises(ssl.SSLCertVerificationError):
        RawConnection(shared.port, ssl.create_default_context()).__enter__()
    assert refusals_told() == [(0, "handshake: tlsv1 alert unknown ca")]


def test_a_changed_certificate_is_taken_while_requests_run_and_none_fails(
    receiver: Receiver, settings: Settings, authority: Authority, tmp_path: Path
) -> None:
    """Old connections go on with the old one, new ones get the new."""
    old = serial(receiver.port, authority)
    stop = threading.Event()
    statuses: list[int] = []

    def deliver(keep: bool) -> None:
        while not stop.is_set():
            with httpx.Client(verify=authority.trust) as client:
                answers = [
                    client.post(receiver.url, content=b"{}", headers={TOKEN_NAME: TOKEN})
                    for _ in range(20 if keep else 1)
                ]
                statuses.extend(answer.status_code for answer in answers)

    threads = [threading.Thread(target=deliver, args=(keep,)) for keep in (True, False)]
    for thread in threads:
        thread.start()
    replace_pair(settings, *authority.issue(tmp_path, "next"))
    for _ in range(100):
        if serial(receiver.port, authority) != old:
            break
        stop.wait(0.05)
    stop.set()
    for thread in threads:
        thread.join()
    assert serial(receiver.port, authority) != old
    assert set(statuses) == {200}
    assert receiver.counts.certificate_reloads >= 1


@pytest.mark.parametrize("content", ["", "no PEM", None], ids=["empty", "garbage", "missing"])
def test_a_broken_pair_is_refused_and_the_old_one_serves_on(
    receiver: Receiver, settings: Settings, authority: Authority, content: str | None
) -> None:
    """Said once, and mended as soon as a good one is there."""
    assert settings.webhook_tls_cert is not None
    good = settings.webhook_tls_cert.read_text()
    old = serial(receiver.port, authority)
    if content is None:
        settings.webhook_tls_cert.unlink()
    else:
        settings.webhook_tls_cert.write_text(content)
    pause = threading.Event()
    for _ in range(100):
        if receiver.counts.certificate_refusals:
            break
        pause.wait(0.02)
    pause.wait(0.2)
    assert receiver.counts.certificate_refusals == 1
    assert serial(receiver.port, authority) == old
    settings.webhook_tls_cert.write_text(good)
    for _ in range(100):
        if receiver.counts.certificate_reloads:
            break
        pause.wait(0.02)
    assert serial(receiver.port, authority) == old


@pytest.mark.parametrize("name", ["webhook_tls_cert", "webhook_tls_key"])
def test_a_pipe_in_the_place_of_a_file_is_refused_and_nothing_waits_for_its_writer(
    receiver: Receiver, settings: Settings, client: httpx.Client, name: str
) -> None:
    """To open it would wait for ever, and with it the sealing, the journal and the end of the receiver."""
    path: Path = getattr(settings, name)
    path.unlink()
    os.mkfifo(path, mode=0o600)
    pause = threading.Event()
    for _ in range(100):
        if receiver.counts.certificate_refusals:
            break
        pause.wait(0.02)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_NONBLOCK), "wb"):  # should it wait all the same, the test goes on
        assert receiver.counts.certificate_refusals >= 1
        assert client.post(receiver.url, content=b"{}", headers={TOKEN_NAME: TOKEN}).is_success
        for _ in range(200):
            if delivered_ids(settings.landing_path):
                break
            pause.wait(0.02)
        assert len(delivered_ids(settings.landing_path)) == 1


def test_a_certificate_that_is_not_valid_now_does_not_replace_one_that_is(
    settings: Settings, authority: Authority
) -> None:
    """A renewal with a wrong date must not take the receiver off the air."""
    assert settings.webhook_tls_cert is not None
    assert settings.webhook_tls_key is not None
    pair = tls.CertificatePair(settings.webhook_tls_cert, settings.webhook_tls_key, system_clock)
    expired = authority.ca.issue_cert(
        "localhost", not_before=datetime(2020, 1, 1, tzinfo=UTC), not_after=datetime(2021, 1, 1, tzinfo=UTC)
    )
    settings.webhook_tls_cert.write_bytes(expired.cert_chain_pems[0].bytes())
    settings.webhook_tls_key.write_bytes(expired.private_key_pem.bytes())
    with pytest.raises(SettingsError, match="which is not now"):
        pair.reload_if_changed()
    assert not pair.reload_if_changed()


def test_a_key_opened_to_others_is_not_taken(settings: Settings, authority: Authority, tmp_path: Path) -> None:
    """Not while running either."""
    assert settings.webhook_tls_cert is not None
    assert settings.webhook_tls_key is not None
    pair = tls.CertificatePair(settings.webhook_tls_cert, settings.webhook_tls_key, system_clock)
    certificate, key = authority.issue(tmp_path, "next")
    key.chmod(0o644)
    replace_pair(settings, certificate, key)
    with pytest.raises(SettingsError, match="chmod 600"):
        pair.reload_if_changed()


def test_the_certificates_end_is_told_days_ahead(settings: Settings) -> None:
    """For `status`, the log at the start and the metrics."""
    assert settings.webhook_tls_cert is not None
    certificate = tls.read_certificate(settings.webhook_tls_cert)
    assert certificate.days_left(certificate.not_after - timedelta(days=3)) == 3
    assert tls.is_expiring(certificate, certificate.not_after - timedelta(days=13))
    assert not tls.is_expiring(certificate, certificate.not_after - timedelta(days=15))
    assert not certificate.is_self_signed


def test_connections_that_last_are_not_cut_by_a_swap(
    start: Callable[..., Receiver], settings: Settings, authority: Authority, client: httpx.Client, tmp_path: Path
) -> None:
    """A keep-alive connection outlives its certificate's files."""
    receiver = start(Limits(keeper_seconds=0.05))
    assert client.post(receiver.url, content=b"{}", headers={TOKEN_NAME: TOKEN}).status_code == 200
    replace_pair(settings, *authority.issue(tmp_path, "next"))
    pause = threading.Event()
    for _ in range(100):
        if receiver.counts.certificate_reloads:
            break
        pause.wait(0.02)
    assert client.post(receiver.url, content=b"{}", headers={TOKEN_NAME: TOKEN}).status_code == 200
    assert len(receiver.connections) == 1
