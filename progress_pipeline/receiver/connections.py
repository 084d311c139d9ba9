"""All connections and what each waits for, so that none waits for ever and a flood of slow ones shuts nobody out.

A connection shakes hands, sends a request's head, then its body, is answered, and idles. Each has its time; whoever
overruns it is cut off by a sweep some times a second. When there are too many connections, the one that has waited
longest for its client (never one that waits for us) makes room for the new one.
"""

import enum
from collections import OrderedDict
from typing import Protocol

from progress_pipeline.receiver.counts import Counts
from progress_pipeline.receiver.limits import Limits


class Phase(enum.Enum):
    """What a connection waits for."""

    HANDSHAKE = "handshake"
    HEAD = "head"
    BODY = "body"
    ANSWER = "answer"
    IDLE = "idle"


class Connection(Protocol):
    """One connection, as seen from here: where it is since when, and how it is ended."""

    phase: Phase
    since: float

    def cut(self, *, is_crowded: bool) -> None:
        """End the connection: it overran its time or, if `is_crowded`, must make room."""


class Connections:
    """The connections, those that wait for their client in the order of how long they have."""

    def __init__(self, limits: Limits, counts: Counts) -> None:
        self._counts = counts
        self._waiting: OrderedDict[Connection, None] = OrderedDict()
        self._answering: set[Connection] = set()
        self._seconds = {
            Phase.HANDSHAKE: limits.handshake_seconds,
            Phase.HEAD: limits.head_seconds,
            Phase.BODY: limits.request_seconds,
            Phase.ANSWER: limits.stall_seconds + limits.answer_seconds,
            Phase.IDLE: limits.idle_seconds,
        }

    def __len__(self) -> int:
        return len(self._waiting) + len(self._answering)

    def enter(self, connection: Connection, phase: Phase, now: float) -> None:
        """Note that a connection begins to wait for something."""
        connection.phase = phase
        connection.since = now
        if phase is Phase.ANSWER:
            self._waiting.pop(connection, None)
            self._answering.add(connection)
        else:
            self._answering.discard(connection)
            self._waiting[connection] = None
            self._waiting.move_to_end(connection)

    def leave(self, connection: Connection) -> None:
        """Note that a connection has ended."""
        self._waiting.pop(connection, None)
        self._answering.discard(connection)

    def sweep(self, now: float) -> None:
        """Cut off whoever overran the time of its phase."""
        overdue = [
            connection
            for connection in (*self._waiting, *self._answering)
            if now - connection.since > self._seconds[connection.phase]
        ]
        for connection in overdue:
            connection.cut(is_crowded=False)

    def make_room(self) -> bool:
        """Cut off the connection that has waited longest for its client; False if there is none."""
        oldest = next(iter(self._waiting), None)
        if oldest is None:
            return False
        self.leave(oldest)
        self._counts.connections_cut += 1
        oldest.cut(is_crowded=True)
        return True
