"""The receiver does not start on unsafe settings, says every reason at once, and never repeats a token."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from progress_pipeline.addresses import is_loopback
from progress_pipeline.clock import system_clock
from progress_pipeline.errors import LandingError, SettingsError
from progress_pipeline.receiver import safety
from progress_pipeline.receiver.server import Receiver
from progress_pipeline.settings import Settings
from tests.receiver.conftest import TOKEN, Authority

CASES: dict[str, tuple[dict[str, object], str]] = {
    "no token": ({"webhook_token_value": SecretStr("")}, "WEBHOOK_TOKEN_VALUE is not set"),
    "no token name": ({"webhook_token_name": ""}, "WEBHOOK_TOKEN_NAME is not set"),
    "a token name that is no header": ({"webhook_token_name": "access token"}, "letters, digits"),
    "a token name that means something": ({"webhook_token_name": "Content-Type"}, "a meaning of its own"),
    "a token with a space": ({"webhook_token_value": SecretStr("a b")}, "visible ASCII"),
    "a next token that is not ASCII": ({"webhook_token_value_next": SecretStr("é")}, "VALUE_NEXT may hold visible"),
    "no certificate": ({"webhook_tls_cert": None}, "WEBHOOK_TLS_CERT not set"),
    "no key": ({"webhook_tls_key": None}, "WEBHOOK_TLS_KEY not set"),
    "neither, on a public address": (
        {"webhook_tls_cert": None, "webhook_tls_key": None, "webhook_host": "0.0.0.0"},  # noqa: S104 (to be refused)
        "over TLS alone",
    ),
    "plain HTTP on a public address": (
        {"webhook_tls_cert": None, "webhook_tls_key": None, "webhook_plain_http": True, "webhook_host": "192.0.2.1"},
        "loopback address alone",
    ),
    "plain HTTP on every address": (
        {"webhook_tls_cert": None, "webhook_tls_key": None, "webhook_plain_http": True, "webhook_host": "::"},
        "loopback address alone",
    ),
    "plain HTTP with a certificate": ({"webhook_plain_http": True}, "take one of them away"),
    "a certificate that does not exist": ({"webhook_tls_cert": Path("/nowhere.pem")}, "cannot be used together"),
    "a key that does not exist": ({"webhook_tls_key": Path("/nowhere.key")}, "cannot be read"),
    "an address of another machine": ({"webhook_host": "192.0.2.1"}, "cannot listen"),
}


@pytest.mark.parametrize(("changes", "reason"), CASES.values(), ids=CASES)
def test_unsafe_settings_are_refused_with_the_reason(
    settings: Settings, changes: dict[str, object], reason: str
) -> None:
    """Nothing listens then."""
    with pytest.raises(SettingsError, match=reason) as refused:
        Receiver(settings.model_copy(update=changes))
    assert TOKEN not in str(refused.value)
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660, 0o601])
def test_a_key_that_others_may_read_is_refused(settings: Settings, mode: int) -> None:
    """A group may read it, as Debian's ssl-cert does; others may not, and nobody else may write."""
    assert settings.webhook_tls_key is not None
    settings.webhook_tls_key.chmod(mode)
    with pytest.raises(SettingsError, match="chmod 600"):
        Receiver(settings)


def test_a_key_of_another_certificate_is_refused(settings: Settings, authority: Authority, tmp_path: Path) -> None:
    """Every client would fail, and nobody would know why."""
    _, foreign = authority.issue(tmp_path, "foreign")
    with pytest.raises(SettingsError, match="cannot be used together"):
        Receiver(settings.model_copy(update={"webhook_tls_key": foreign}))


def test_a_landing_folder_that_cannot_be_one_is_refused(settings: Settings, tmp_path: Path) -> None:
    """Waiting would not help, and answering 503 for ever would hide it."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LandingError, match="PROGRESS_LANDING_DIR"):
        Receiver(settings.model_copy(update={"landing_dir": tmp_path / "file" / "landing"}))


def test_every_reason_is_told_at_once(settings: Settings) -> None:
    """So that nobody starts four times."""
    bad = settings.model_copy(
        update={"webhook_token_name": "", "webhook_token_value": SecretStr(""), "webhook_tls_cert": None}
    )
    with pytest.raises(SettingsError) as refused:
        Receiver(bad)
    assert str(refused.value).count("\n  - ") == 3


def test_a_port_that_is_taken_is_refused(start: Callable[..., Receiver], settings: Settings) -> None:
    """With what to do about it."""
    receiver = start()
    with pytest.raises(SettingsError, match="a free port"):
        Receiver(settings.model_copy(update={"webhook_port": receiver.port}))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_is_known_in_each_form(host: str) -> None:
    """Plain HTTP is allowed on it when asked for by name."""
    assert is_loopback(host)


def test_what_is_allowed_but_hardly_meant_is_told(settings: Settings) -> None:
    """A short token; metrics that others reach."""
    assert safety.doubts(settings, system_clock()) == []
    odd = settings.model_copy(
        update={"webhook_token_value": SecretStr("short"), "webhook_metrics_host": "0.0.0.0"}  # noqa: S104 (to be told)
    )
    assert len(safety.doubts(odd, system_clock())) == 2
