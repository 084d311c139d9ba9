"""Alerts at the end of a run: which ways out the settings give, and what goes out by them.

What is new is read with the checks, and sent after them: a slow endpoint holds up its own run and those that wait for
their turn. Nothing here can fail a run.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import duckdb

from progress_pipeline.alerting.channels import Channel, MailChannel, WebhookChannel
from progress_pipeline.alerting.delivering import Gathered, deliver, gather
from progress_pipeline.alerting.news import GapFacts, Standing
from progress_pipeline.errors import StateError
from progress_pipeline.settings import Settings
from progress_pipeline.warehouse.news import facts_of_gaps, opened_gaps

logger = logging.getLogger(__name__)


def channels_of(settings: Settings) -> tuple[Channel, ...]:
    """Give the ways out that the settings name."""
    channels: list[Channel] = []
    if url := settings.alert_webhook_url.get_secret_value():
        token, key = settings.alert_webhook_token, settings.alert_webhook_key
        channels.append(
            WebhookChannel(url, token.get_secret_value(), key.get_secret_value(), ca_file=settings.alert_ca_file)
        )
    if settings.alert_smtp_host:
        channels.append(
            MailChannel(
                settings.alert_smtp_host,
                settings.alert_smtp_port,
                settings.alert_smtp_security,
                settings.alert_from,
                settings.alert_recipients,
                user=settings.alert_smtp_user,
                password=settings.alert_smtp_password.get_secret_value(),
                ca_file=settings.alert_ca_file,
            )
        )
    return tuple(channels)


class Alerts:
    """The alerts of one run.

    Args:
        settings: The settings.
    """

    def __init__(self, settings: Settings) -> None:
        self._path, self._channels = settings.alerts_path, channels_of(settings)
        self._gathered: Gathered | None = None

    def gather(self, connection: duckdb.DuckDBPyConnection, as_of: datetime) -> None:
        """Read what is new."""

        def describe(gap_ids: Sequence[str]) -> list[GapFacts]:
            return [GapFacts(*row) for row in facts_of_gaps(connection, gap_ids)]

        standing = [Standing(*row) for row in opened_gaps(connection)]
        with _told_of_failures():
            self._gathered = gather(self._path, self._channels, standing, describe, as_of)

    def send(self) -> None:
        """Send what was gathered, and what waits from earlier runs."""
        if self._gathered is not None:
            with _told_of_failures():
                deliver(self._path, self._channels, self._gathered)


@contextmanager
def _told_of_failures() -> Iterator[None]:
    """Let no outbox that cannot be used fail a run; `status` tells of it too."""
    try:
        yield
    except (StateError, OSError) as error:
        logger.warning("no alert goes out: %s", error)
