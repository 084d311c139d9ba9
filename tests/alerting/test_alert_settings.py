"""The settings of alerts: half a channel, and a channel in the clear, are refused with a sentence."""

import pytest

from progress_pipeline.errors import SettingsError
from progress_pipeline.orchestration.alerts import channels_of
from progress_pipeline.settings import load_settings

MAIL = {"alert_smtp_host": "mail.example.invalid", "alert_from": "a@example.invalid", "alert_to": "b@x.example, c@x.y"}


def test_without_settings_nothing_is_sent() -> None:
    """Both channels are optional."""
    assert not load_settings().has_alerts
    assert channels_of(load_settings()) == ()


def test_both_channels_can_be_had_at_once() -> None:
    """By an https URL, and by a mail server with sender and recipients."""
    settings = load_settings(alert_webhook_url="https://x.example/hook", **MAIL)
    assert [channel.name for channel in channels_of(settings)] == ["webhook", "smtp"]
    assert settings.alert_recipients == ("b@x.example", "c@x.y")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"alert_webhook_url": "http://x.example/path-token"}, "whole https:// URL"),
        ({"alert_webhook_url": "https://x.example", "alert_webhook_key": "short"}, "16 characters"),
        ({"alert_smtp_host": "mail.example.invalid"}, "all three"),
        ({"alert_to": "b@example.invalid"}, "all three"),
        ({**MAIL, "alert_smtp_security": "none"}, "on this machine"),
    ],
)
def test_what_would_not_work_or_not_be_safe_is_refused(changes: dict[str, str], said: str) -> None:
    """And no value of a secret is in what is said."""
    with pytest.raises(SettingsError, match=said) as told:
        load_settings(**changes)
    assert "path-token" not in str(told.value)
