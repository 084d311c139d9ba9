"""Makes deliveries durable in groups: one writer thread, one write, one sync, then the whole group is answered.

The event loop gathers what comes in while the writer is at work, and hands it over in one piece when the writer is
free. So a group costs two changes of thread however large it is, and the disk's pace decides the group's size. What
waits is bounded: beyond it `submit` refuses, and so it does while the disk does not come back from a write at all.
"""

import asyncio
import logging
import threading
import time
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from progress_pipeline.errors import LandingError
from progress_pipeline.landing.writing import SegmentWriter
from progress_pipeline.receiver.counts import Counts
from progress_pipeline.receiver.limits import Limits

NOT_DURABLE = "not durable"
QUEUE_FULL = "queue full"
STALLED = "disk does not answer"

_READY_SECONDS = 1.0
_GATHER_SECONDS = 0.002

logger = logging.getLogger("progress_pipeline.receiver")


@dataclass
class _Group:
    """Lines that are written together, and who waits for them; one without lines only tries whether it would work."""

    lines: list[bytes] = field(default_factory=list)
    waiters: list[asyncio.Future[str | None]] = field(default_factory=list)
    byte_count: int = 0
    handed_over_at: float = 0.0

    def is_full(self, limit: int) -> bool:
        """Tell whether no line may join."""
        return not self.lines or self.byte_count >= limit


class GroupCommit:
    """Takes lines on the event loop's thread, and tells each when it is durable, or why it is not."""

    def __init__(self, writer: SegmentWriter, limits: Limits, counts: Counts) -> None:
        self._writer = writer
        self._limits = limits
        self._counts = counts
        self._inbox: SimpleQueue[_Group | None] = SimpleQueue()
        self._pending: list[_Group] = []
        self._in_hand: _Group | None = None
        self._held_count = 0
        self._held_bytes = 0
        self._is_stalled = False
        self._trouble: str | None = None
        self._told_at = 0.0
        self._gather_until = 0.0
        self._is_durable = False
        self._probe: asyncio.Future[str | None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="receiver-writer")

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to write, for what this event loop submits."""
        self._loop = loop
        self._thread.start()

    def stop(self) -> None:
        """Write what was handed over, close the segment, and end. Call when the loop submits no more."""
        if self._thread.is_alive():
            self._inbox.put(None)
            self._thread.join()

    def submit(self, line: bytes) -> "asyncio.Future[str | None]":
        """Take one line; the future gives None when it is on disk for good, else the reason why it is not."""
        assert self._loop is not None  # noqa: S101 (started first)
        waiter: asyncio.Future[str | None] = self._loop.create_future()
        if self._is_stalled:
            waiter.set_result(STALLED)
            return waiter
        size = len(line)
        limits = self._limits
        if self._held_count >= limits.queue_count or (
            self._held_bytes and self._held_bytes + size > limits.queue_bytes
        ):
            waiter.set_result(QUEUE_FULL)
            return waiter
        self._held_count += 1
        self._held_bytes += size
        if not self._pending or self._pending[-1].is_full(limits.group_bytes):
            self._pending.append(_Group())
        group = self._pending[-1]
        group.lines.append(line)
        group.waiters.append(waiter)
        group.byte_count += size
        self._hand_over_soon(group)
        return waiter

    async def is_ready(self) -> bool:
        """Tell whether a delivery would be durable now: by what was written within a second, else by trying."""
        assert self._loop is not None  # noqa: S101 (started first)
        if self._is_stalled:
            return False
        if time.monotonic() - self._told_at > _READY_SECONDS and (self._probe is None or self._probe.done()):
            self._probe = self._loop.create_future()
            group = _Group(waiters=[self._probe])
            self._held_count += 1
            self._pending.append(group)
            self._hand_over_soon(group)
        if self._probe is not None:
            await asyncio.shield(self._probe)
        return self._is_durable

    def _hand_over_soon(self, group: _Group) -> None:
        """Hand over, but only after all that this turn of the loop brings, and if the writer is free."""
        assert self._loop is not None  # noqa: S101 (started first)
        if self._in_hand is None:
            self._in_hand = group
            self._gather_until = time.monotonic() + _GATHER_SECONDS
            self._loop.call_soon(self._hand_over_when_gathered, self._held_count)

    @property
    def depth(self) -> int:
        """Deliveries that wait to be durable."""
        return self._held_count

    @property
    def is_stalled(self) -> bool:
        """Whether the disk has not come back from a write for too long."""
        return self._is_stalled

    def look_for_stall(self) -> None:
        """Answer all that waits with a reason if the writer has not come back for too long; call now and then."""
        group = self._in_hand
        if group is None or not group.handed_over_at or self._is_stalled:
            return
        if time.monotonic() - group.handed_over_at > self._limits.stall_seconds:
            self._is_stalled = True
            for waiting in (group, *self._pending):
                self._tell(waiting, STALLED)
            self._pending.clear()
            self._counts.commit_failures += 1
            logger.error("the disk has not answered for %s s; deliveries are refused", self._limits.stall_seconds)

    def _hand_over_when_gathered(self, count: int) -> None:
        """Hand over once a turn of the loop has brought nothing more, or it has gathered for long enough."""
        assert self._loop is not None  # noqa: S101 (started first)
        if self._held_count > count and time.monotonic() < self._gather_until:
            self._loop.call_soon(self._hand_over_when_gathered, self._held_count)
        else:
            self._hand_over()

    def _hand_over(self) -> None:
        if not self._pending:
            self._in_hand = None
            return
        group = self._in_hand = self._pending.pop(0)
        group.handed_over_at = time.monotonic()
        self._inbox.put(group)

    def _tell(self, group: _Group, reason: str | None) -> None:
        for waiter in group.waiters:
            if not waiter.done():
                waiter.set_result(reason)
        self._held_count -= len(group.waiters)
        self._held_bytes -= group.byte_count
        group.waiters = []
        group.byte_count = 0

    def _finished(self, group: _Group, reason: str | None) -> None:
        """Answer a group, and hand over the next; on the loop's thread."""
        if self._is_stalled:
            self._is_stalled = False
            logger.info("the disk answers again")
        now = time.monotonic()
        self._told_at = now
        self._is_durable = reason is None
        self._counts.observe_commit(now - group.handed_over_at, is_durable=self._is_durable)
        self._tell(group, reason)
        self._in_hand = None
        if self._pending:
            self._hand_over_soon(self._pending[0])

    def _run(self) -> None:
        """Write groups until told to end; on the writer's thread."""
        assert self._loop is not None  # noqa: S101 (started first)
        while True:
            try:
                group = self._inbox.get(timeout=self._writer.seconds_until_due())
            except Empty:
                self._writer.close()
                continue
            if group is None:
                break
            self._loop.call_soon_threadsafe(self._finished, group, self._commit(group))
            if self._writer.seconds_until_due() == 0:
                self._writer.close()
        self._writer.close()

    def _commit(self, group: _Group) -> str | None:
        """Make a group durable, or give the reason why it is not; a failure is logged once, not for each group."""
        trouble: str | None = None
        try:
            if group.lines:
                self._writer.append(group.lines)
            else:
                self._writer.probe()
        except LandingError as error:
            trouble = str(error)
        except Exception as error:  # noqa: BLE001 (the thread must outlive whatever this is; nothing is acknowledged)
            trouble = f"Writing failed unexpectedly: {type(error).__name__}."
        if trouble != self._trouble:
            self._trouble = trouble
            logger.log(*((logging.ERROR, trouble) if trouble else (logging.INFO, "deliveries are durable again")))
        return NOT_DURABLE if trouble else None
