"""What the tests of alerts share: a channel that trusts a loopback endpoint, and retries without waiting."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina

from tests.alerting.receiving import Authority, Endpoint


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    """Try twice at once, instead of three times over seconds."""
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Whom the channels trust."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def endpoint(authority: Authority) -> Iterator[Endpoint]:
    """An endpoint that is there."""
    made = Endpoint(authority)
    with made.up():
        yield made


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    """Where the outbox will be."""
    return tmp_path / "alerts" / "outbox.sqlite"
