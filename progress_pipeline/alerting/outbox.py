"""The outbox: what each channel was told, and the message that it has not taken yet. One SQLite file.

A message is written here, with the gaps it tells of, in one transaction before it leaves, and marked when the channel
took it. So a crash before that loses nothing, and a crash between sending and marking sends the same message again,
under the same id: twice rather than never, and a receiver that knows ids sees it once.

A channel has one unsent message at the most. What happens while it is away waits for the next, so a channel that comes
back gets two messages, however long it was away.
"""

import sqlite3
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from progress_pipeline.alerting.news import Event, News, Told
from progress_pipeline.alerting.wording import Wording
from progress_pipeline.errors import StateError

WAIT_SECONDS = 10.0

_SCHEMA = (
    """
    create table if not exists messages (
        message_id text primary key,
        channel text not null,
        subject text not null,
        text text not null,
        body text not null,
        gap_count integer not null,
        made_at text not null,
        try_count integer not null default 0,
        tried_at text,
        error text,
        sent_at text
    ) strict
    """,
    "create index if not exists unsent on messages (channel) where sent_at is null",
    """
    create table if not exists told (
        channel text not null,
        gap_id text not null,
        event text not null,
        message_id text,
        primary key (channel, gap_id, event)
    ) strict, without rowid
    """,
)


@dataclass(frozen=True)
class Message:
    """A message that a channel has not taken yet.

    Attributes:
        message_id: Its name, the same over all tries.
        subject: One line.
        text: For people.
        body: For programs, JSON.
        made_at: When it was made.
    """

    message_id: str
    subject: str
    text: str
    body: str
    made_at: datetime


@dataclass(frozen=True)
class Waiting:
    """How a message waits, for those who look.

    Attributes:
        channel: Where it is to go.
        subject: What it is about.
        made_at: Since when it waits.
        try_count: How often it was tried.
        error: What the last try came to.
    """

    channel: str
    subject: str
    made_at: datetime
    try_count: int
    error: str | None


class Outbox:
    """The outbox in its file; a context manager. Safe to open in many processes at once.

    Args:
        path: The file; it and its folder are made if absent.

    Raises:
        StateError: The file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._as_our_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)
            try:
                self._connection.execute("pragma synchronous = full")
                for statement in _SCHEMA:
                    self._connection.execute(statement)
            except BaseException:
                self._connection.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def told(self, channel: str) -> Told:
        """Give what a channel was told, or will be by its unsent message."""
        events: dict[str, set[Event]] = defaultdict(set)
        with self._as_our_errors():
            rows = self._connection.execute("select gap_id, event from told where channel = ?", [channel]).fetchall()
        for gap_id, event in rows:
            events[gap_id].add(event)
        return {gap_id: frozenset(each) for gap_id, each in events.items()}

    def unsent(self, channel: str) -> Message | None:
        """Give the message that a channel has not taken yet, if there is one."""
        with self._as_our_errors():
            row = self._connection.execute(
                "select message_id, subject, text, body, made_at from messages where channel = ? and sent_at is null"
                " order by made_at, message_id",
                [channel],
            ).fetchone()
        return None if row is None else Message(row[0], row[1], row[2], row[3], datetime.fromisoformat(row[4]))

    def put(self, channel: str, news: News, wording: Wording | None, now: datetime) -> None:
        """Write a message down, with what it tells of; without a wording, what never needs to be told."""
        message_id = f"msg_{uuid.uuid4().hex}" if wording else None
        rows = [(gap_id, event) for gap_id, events in news.events.items() for event in events]
        rows += [(gap_id, "closed") for gap_id in news.withdrawn]
        silent = [(gap_id, event) for gap_id in news.passed_over for event in ("opened", "closed")]
        with self._transaction() as connection:
            if wording:
                connection.execute(
                    "insert into messages (message_id, channel, subject, text, body, gap_count, made_at)"
                    " values (?, ?, ?, ?, ?, ?, ?)",
                    [message_id, channel, wording.subject, wording.text, wording.body, len(news.events), _text(now)],
                )
            connection.executemany(
                "insert into told (channel, gap_id, event, message_id) values (?, ?, ?, ?)",
                [(channel, *row, message_id) for row in rows] + [(channel, *row, None) for row in silent],
            )

    def mark_sent(self, message_id: str, now: datetime) -> None:
        """Note that a channel took a message."""
        with self._as_our_errors():
            self._connection.execute(
                "update messages set sent_at = ?, tried_at = ?, try_count = try_count + 1, error = null"
                " where message_id = ?",
                [_text(now), _text(now), message_id],
            )

    def mark_failed(self, message_id: str, said: str, now: datetime) -> None:
        """Note what a try came to."""
        with self._as_our_errors():
            self._connection.execute(
                "update messages set tried_at = ?, try_count = try_count + 1, error = ? where message_id = ?",
                [_text(now), said, message_id],
            )

    def waiting(self) -> Sequence[Waiting]:
        """Give the messages that wait."""
        with self._as_our_errors():
            rows = self._connection.execute(
                "select channel, subject, made_at, try_count, error from messages where sent_at is null"
                " order by channel, made_at"
            ).fetchall()
        return [Waiting(row[0], row[1], datetime.fromisoformat(row[2]), row[3], row[4]) for row in rows]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._as_our_errors():
            self._connection.execute("begin immediate")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("rollback")
                raise
            self._connection.execute("commit")

    @contextmanager
    def _as_our_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StateError(
                f"What alerts were sent stands in {self.path}, which cannot be used: {error}. Check that its folder "
                "can be written and has room; if the file is broken, move it away (the next run then tells of all gaps "
                "on record in one message)."
            ) from error


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat()
