"""Where every refusal goes: one line of the log, a count, and the landed journal.

A reason is one of the receiver's own words; nothing that a client sent is repeated, so no token can be.
"""

import logging

from progress_pipeline.landing.journal import RefusalJournal
from progress_pipeline.receiver.counts import Counts

logger = logging.getLogger("progress_pipeline.receiver")

NOT_POST = "not POST"
TOO_LARGE = "body too large"
CUT_OFF = "cut off"
HEAD_TOO_SLOW = "head too slow"
BODY_TOO_SLOW = "body too slow"
HEAD_TOO_LARGE = "head too large"
FRAMING_TOO_LARGE = "chunk sizes and trailers too large"
TOO_MANY_AHEAD = "too many requests sent ahead"
NOT_HTTP = "not HTTP"
MEMORY_FULL = "memory full"
TOO_MANY = "too many connections"
FAULT = "fault in the receiver"
STOPPING = "receiver is stopping"
NOT_GET = "not GET"


class Refusals:
    """Notes refusals; on the event loop's thread."""

    def __init__(self, journal: RefusalJournal, counts: Counts) -> None:
        self._journal = journal
        self._counts = counts

    def note(self, client: str | None, status: int | None, reason: str) -> None:
        """Note one refused request; status None stands for a connection that never became a request."""
        if client is not None and "." in client:
            client = client.removeprefix("::ffff:")  # an IPv4 address, as a socket for both kinds shows it
        self._counts.refusals[status or 0, reason] += 1
        self._journal.note(client, status, reason)
        logger.info(
            "refused: %s (%s) from %s",
            reason,
            status or "no answer",
            client or "unknown",
            extra={"event": "refused", "reason": reason, "status": status, "client": client},
        )
