"""The housekeeping beside the requests: sealing what is closed, landing the journal, watching the certificate.

Each is tried again until it works, and none is in the way of an answer. What touches the disk runs on another thread.
"""

import asyncio
import logging
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

from progress_pipeline.clock import Clock
from progress_pipeline.errors import SettingsError
from progress_pipeline.landing import layout, recovery, sealing
from progress_pipeline.landing.journal import RefusalJournal, write_journal
from progress_pipeline.landing.writing import ClosedSegment
from progress_pipeline.receiver.counts import Counts
from progress_pipeline.receiver.limits import Limits
from progress_pipeline.receiver.tls import CertificatePair

logger = logging.getLogger("progress_pipeline.receiver")


class Keeper:
    """Does the housekeeping of one receiver."""

    def __init__(  # noqa: PLR0913 (it joins the parts, and each has a name)
        self,
        landing: Path,
        *,
        clock: Clock,
        journal: RefusalJournal,
        pair: CertificatePair | None,
        counts: Counts,
        limits: Limits,
    ) -> None:
        self._landing = landing
        self._clock = clock
        self._journal = journal
        self._pair = pair
        self._counts = counts
        self._limits = limits
        self._closed: SimpleQueue[ClosedSegment] = SimpleQueue()
        self._trouble: str | None = None

    def take(self, segment: ClosedSegment) -> None:
        """See to it that a closed segment is sealed; from any thread."""
        self._closed.put(segment)

    def take_what_was_left(self) -> None:
        """See to it that what a crash left open is recovered."""
        folder = self._landing / layout.OPEN_FOLDER
        if folder.is_dir():
            for path in sorted(folder.iterdir()):
                if layout.kind_of(path.name) is not None:
                    self.take(ClosedSegment(path, is_whole=False))

    async def keep(self) -> None:
        """Go round until cancelled."""
        loop = asyncio.get_running_loop()
        journal_due = loop.time() + self._limits.journal_seconds
        while True:
            await asyncio.sleep(self._limits.keeper_seconds)
            await asyncio.to_thread(self.seal_closed)
            await asyncio.to_thread(self._look_at_certificate)
            if loop.time() >= journal_due:
                journal_due = loop.time() + self._limits.journal_seconds
                await self.land_journal()

    def seal_closed(self) -> None:
        """Seal every closed segment, or recover it if it may be torn; what fails is kept for the next time."""
        left: list[ClosedSegment] = []
        trouble: str | None = None
        with suppress(Empty):
            while True:
                segment = self._closed.get_nowait()
                try:
                    self._seal(segment)
                except OSError as error:
                    if isinstance(error, FileNotFoundError) and not segment.path.exists():
                        self._tell_gone(segment)
                        continue
                    left.append(segment)
                    trouble = f"A segment cannot be sealed, and stays in {segment.path.parent}: {error.strerror}"
        for segment in left:
            self._closed.put(segment)
        if trouble != self._trouble:
            self._trouble = trouble
            logger.log(*((logging.ERROR, trouble) if trouble else (logging.INFO, "segments are sealed again")))

    def _seal(self, segment: ClosedSegment) -> None:
        if segment.is_whole:
            sealing.seal(self._landing, segment.path, clock=self._clock)
        else:
            found = recovery.recover_one(self._landing, segment.path, clock=self._clock)
            if found is None:
                if not segment.path.exists():
                    self._tell_gone(segment)
                return
            logger.info(
                "recovered %s: %s whole lines, %s torn bytes",
                segment.path.name,
                found.line_count,
                found.torn_bytes,
            )
        self._counts.sealed_segments += 1

    def _tell_gone(self, segment: ClosedSegment) -> None:
        logger.warning(
            "%s is not where it was written: another receiver took it for one that a crash had left, and sealed it, or "
            "somebody moved it or mounted over its folder; then what stands in it is loaded only when it is back",
            segment.path,
        )

    async def land_journal(self) -> None:
        """Land the refusals gathered, if there are any; what fails is kept for the next time."""
        refusals = self._journal.take()
        if not refusals:
            return
        try:
            await asyncio.to_thread(write_journal, self._landing, refusals, clock=self._clock)
        except OSError:
            self._journal.put_back(refusals)

    def _look_at_certificate(self) -> None:
        if self._pair is None:
            return
        try:
            if self._pair.reload_if_changed():
                self._counts.certificate_reloads += 1
                logger.info("the certificate was changed; it holds until %s", self._pair.certificate.not_after)
        except SettingsError as error:
            self._counts.certificate_refusals += 1
            logger.error("%s The certificate before it serves on.", error)  # noqa: TRY400 (the message says all)
