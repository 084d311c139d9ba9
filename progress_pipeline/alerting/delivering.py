"""From gaps to messages that are taken: what is new is read first, and sent when the warehouse is free again.

A channel that does not take a message delays it, and fails nothing: the message waits in the outbox for the next run.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from filelock import FileLock, Timeout

from progress_pipeline.alerting.channels import Channel, NotTakenError
from progress_pipeline.alerting.news import GapFacts, Standing, news_of
from progress_pipeline.alerting.outbox import Outbox
from progress_pipeline.alerting.wording import word

logger = logging.getLogger(__name__)

Describe: TypeAlias = Callable[[Sequence[str]], Iterable[GapFacts]]
"""Gives what is known of gaps, by name."""


@dataclass(frozen=True)
class Gathered:
    """What a run found of the gaps, as far as it may be news.

    Attributes:
        standing: How each gap stands that some run opened.
        facts: What is known of those that are news to any channel.
        as_of: The instant of the run.
    """

    standing: tuple[Standing, ...]
    facts: tuple[GapFacts, ...]
    as_of: datetime


def gather(
    path: Path, channels: Sequence[Channel], standing: Iterable[Standing], describe: Describe, as_of: datetime
) -> Gathered:
    """Read what is new to any of the channels, so that it can be told without the warehouse."""
    gaps = tuple(standing)
    with Outbox(path) as outbox:
        new = {gap_id for channel in channels for gap_id in news_of(gaps, outbox.told(channel.name)).events}
    return Gathered(gaps, tuple(describe(sorted(new))) if new else (), as_of)


def deliver(path: Path, channels: Sequence[Channel], gathered: Gathered) -> dict[str, str]:
    """Send what is new, after what an earlier run could not.

    Returns:
        By channel, what kept a message from being taken; a channel that took everything is left out.
    """
    try:
        with FileLock(path.with_suffix(".lock"), timeout=0), Outbox(path) as outbox:
            failed = {channel.name: _deliver(outbox, channel, gathered) for channel in channels}
    except Timeout:
        logger.info("another run is sending alerts")
        return {}
    return {name: said for name, said in failed.items() if said}


def _deliver(outbox: Outbox, channel: Channel, gathered: Gathered) -> str:
    """Bring one channel up to date; give what kept it from taking a message, or nothing."""
    said = _send(outbox, channel, gathered.as_of)
    if said:
        return said
    news = news_of(gathered.standing, outbox.told(channel.name))
    facts = [gap for gap in gathered.facts if gap.gap_id in news.events]
    wording = word(news.events, facts, news.withdrawn, as_of=gathered.as_of) if news else None
    if wording or news.passed_over:
        outbox.put(channel.name, news, wording, gathered.as_of)
    return _send(outbox, channel, gathered.as_of)


def _send(outbox: Outbox, channel: Channel, now: datetime) -> str:
    message = outbox.unsent(channel.name)
    if message is None:
        return ""
    try:
        channel.send(message)
    except NotTakenError as error:
        logger.warning("an alert waits for the next run, as the %s did not take it: %s", channel.name, error)
        outbox.mark_failed(message.message_id, str(error), now)
        return str(error)
    outbox.mark_sent(message.message_id, now)
    logger.info("sent by %s: %s", channel.name, message.subject)
    return ""


def waiting(path: Path) -> list[dict[str, object]]:
    """Give the messages that no channel has taken yet, for those who look.

    Raises:
        StateError: The outbox cannot be used.
    """
    if not path.exists():
        return []
    with Outbox(path) as outbox:
        return [vars(each) for each in outbox.waiting()]
