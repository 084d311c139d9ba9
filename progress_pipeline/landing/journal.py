"""The journal of refused requests: gathered in memory, equal ones told as one, landed as a file of lines.

So that nobody can fill the disk by being refused, one file tells at most `LARGEST_JOURNAL` spans by client, status and
reason, and the rest by status and reason alone; how often a file is written is the receiver's choice. Nothing in it is
text that a client chose.
"""

import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

import msgspec

from progress_pipeline.clock import Clock
from progress_pipeline.landing import durably, layout, sealing
from progress_pipeline.landing.reading import LandedRefusal

LARGEST_JOURNAL = 64
"""Spans told by client in one file: at a file a minute, some 20 MB a day at the very most."""

Key: TypeAlias = tuple[str | None, int | None, str | None]

_encoder = msgspec.json.Encoder()


class RefusalJournal:
    """Gathers refusals until they are taken to be written; all on one thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._spans: dict[Key, LandedRefusal] = {}

    def note(self, client: str | None, http_status: int | None, reason: str) -> None:
        """Count one refused request; status None stands for a connection that never became a request."""
        now = self._clock()
        self._add(LandedRefusal("", now, client, http_status, reason, now))

    def take(self) -> list[LandedRefusal]:
        """Give what was gathered, each with a name of its own, and begin anew."""
        spans, self._spans = self._spans, {}
        return [msgspec.structs.replace(span, refusal_id=secrets.token_hex(16)) for span in spans.values()]

    def put_back(self, refusals: Iterable[LandedRefusal]) -> None:
        """Keep what could not be written for the next time."""
        for refusal in refusals:
            self._add(refusal)

    def _add(self, new: LandedRefusal) -> None:
        key = (new.client, new.http_status, new.reason)
        if key not in self._spans and len(self._spans) >= LARGEST_JOURNAL:
            key = (None, new.http_status, new.reason)
        old = self._spans.get(key)
        if old is None:
            self._spans[key] = msgspec.structs.replace(new, client=key[0])
            return
        self._spans[key] = msgspec.structs.replace(
            old,
            refused_at=min(old.refused_at, new.refused_at),
            until_at=max(old.until_at or old.refused_at, new.until_at or new.refused_at),
            refusal_count=old.refusal_count + new.refusal_count,
        )


def write_journal(landing: Path, refusals: Iterable[LandedRefusal], *, clock: Clock) -> Path:
    """Land refusals as one sealed file.

    Raises:
        OSError: They could not be landed now.
    """
    folder = landing / layout.OPEN_FOLDER
    durably.make_folder(folder)
    path = folder / layout.new_name(clock(), layout.JOURNAL_SUFFIX)
    try:
        durably.write_file(path, b"".join(_encoder.encode(refusal) + b"\n" for refusal in refusals))
        return sealing.seal(landing, path, clock=clock)
    except OSError:
        path.unlink(missing_ok=True)
        raise
