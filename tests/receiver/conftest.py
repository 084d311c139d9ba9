"""What the tests of the receiver share: a certificate, settings, a running receiver, a client, and what has landed."""

import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import httpx
import pytest
import trustme

from progress_pipeline.landing import layout
from progress_pipeline.landing.finding import find_files
from progress_pipeline.landing.reading import LandedDelivery, LandedRefusal, Unreadable, read_file
from progress_pipeline.receiver.limits import Limits
from progress_pipeline.receiver.server import Receiver
from progress_pipeline.settings import Settings, load_settings

TOKEN_NAME = "access_token_name"
TOKEN = "7f9c2ba4e88f827d616045507605853e"
NEXT_TOKEN = "d64c5ab04a0b3c6fb1ee1d5b4f0c8e3a"

QUICK = Limits(
    handshake_seconds=0.6, head_seconds=0.4, request_seconds=0.8, stop_seconds=1, seal_seconds=0.2, keeper_seconds=0.05
)
"""Bounds small enough for a test to wait for."""


Refused: TypeAlias = tuple[int, str]
"""A refusal's status (0 for a failed handshake) and reason."""


@dataclass(frozen=True)
class Authority:
    """A certificate authority of the test's own, and what trusts it."""

    ca: trustme.CA
    trust: ssl.SSLContext

    def issue(self, folder: Path, name: str = "receiver") -> tuple[Path, Path]:
        """Write a certificate and its key for loopback, and give their paths."""
        issued = self.ca.issue_cert("localhost", "127.0.0.1", "::1")
        certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
        certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        key.touch(mode=0o600)
        key.write_bytes(issued.private_key_pem.bytes())
        return certificate, key


@pytest.fixture(scope="session")
def authority() -> Authority:
    """Give a certificate authority."""
    ca = trustme.CA()
    trust = ssl.create_default_context()
    ca.configure_trust(trust)
    return Authority(ca, trust)


def make_settings(folder: Path, authority: Authority) -> Settings:
    """Make settings with which a receiver may start, on a port that the system chooses."""
    certificate, key = authority.issue(folder)
    return load_settings(
        data_dir=folder / "data",
        webhook_token_name=TOKEN_NAME,
        webhook_token_value=TOKEN,
        webhook_token_value_next=NEXT_TOKEN,
        webhook_host="127.0.0.1",
        webhook_port=0,
        webhook_tls_cert=certificate,
        webhook_tls_key=key,
        webhook_metrics_port=0,
    )


@pytest.fixture
def settings(tmp_path: Path, authority: Authority) -> Settings:
    """Give settings for a receiver of the test's own."""
    return make_settings(tmp_path, authority)


@pytest.fixture(scope="module")
def shared_settings(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Settings:
    """Give the settings of the receiver that the tests of a module share."""
    return make_settings(tmp_path_factory.mktemp("shared"), authority)


@pytest.fixture(scope="module")
def shared(shared_settings: Settings) -> Iterator[Receiver]:
    """Give a running receiver that the tests of a module share."""
    with Receiver(shared_settings, limits=replace(QUICK, seal_seconds=60)) as receiver:
        yield receiver


@pytest.fixture
def refusals_told(shared: Receiver) -> Callable[[], list[Refused]]:
    """Give a way to learn which refusals the shared receiver has told since the test began."""
    before = shared.counts.refusals.copy()

    def told() -> list[Refused]:
        for _ in range(200):
            new = shared.counts.refusals - before
            if new:
                return list(new.elements())
            time.sleep(0.01)
        return []

    return told


@pytest.fixture
def plain_settings(settings: Settings) -> Settings:
    """Give the same for plain HTTP behind a proxy."""
    return settings.model_copy(update={"webhook_plain_http": True, "webhook_tls_cert": None, "webhook_tls_key": None})


@pytest.fixture
def start(settings: Settings) -> Iterator[Callable[..., Receiver]]:
    """Give a way to start a receiver; it is stopped after the test at the latest."""
    started: list[Receiver] = []

    def start_one(limits: Limits = QUICK, own_settings: Settings = settings) -> Receiver:
        receiver = Receiver(own_settings, limits=limits)
        started.append(receiver)
        return receiver.__enter__()

    yield start_one
    for receiver in started:
        receiver.__exit__(None, None, None)


@pytest.fixture
def receiver(start: Callable[..., Receiver]) -> Receiver:
    """Give a running receiver."""
    return start()


@pytest.fixture
def client(authority: Authority) -> Iterator[httpx.Client]:
    """Give a client that bears no token and trusts the authority."""
    with httpx.Client(verify=authority.trust, timeout=10) as made:
        yield made


def delivered_ids(landing: Path) -> list[str]:
    """Give the ids of all deliveries that were sealed, in the order of their lines."""
    return [each.delivery_id for each in landed(landing) if isinstance(each, LandedDelivery)]


def landed(landing: Path) -> list[LandedDelivery | LandedRefusal | Unreadable]:
    """Give all that a loader would read."""
    now = datetime.now(UTC)
    return [each for file in find_files(landing, known={}) for each in read_file(landing, file, now=now)]


def open_segments(landing: Path) -> list[Path]:
    """List the segments that are not sealed."""
    folder = landing / layout.OPEN_FOLDER
    return sorted(path for path in folder.iterdir() if layout.kind_of(path.name)) if folder.is_dir() else []
