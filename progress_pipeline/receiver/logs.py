"""What the receiver logs: plain lines or JSON, on standard error, without a token and without ever waiting.

Lines are written by a thread of their own from a bounded queue, so that a log nobody reads cannot stop deliveries; what
does not fit is counted. As a last guard a live token that stands in a line all the same is masked.
"""

import logging
import queue
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import TextIO

import msgspec

from progress_pipeline.receiver.counts import Counts
from progress_pipeline.receiver.tokens import TokenMask

_QUEUE_LINES = 10_000
_LAST_LINES_SECONDS = 1.0
_LOOK_SECONDS = 0.1
_TOLD = ("event", "reason", "status", "client")


class LineFormatter(logging.Formatter):
    """Makes one line of a record, for people or for programs."""

    def __init__(self, style: str, mask: TokenMask) -> None:
        super().__init__()
        self._is_json = style == "json"
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        """Make the line; a traceback, where there is one, is part of it."""
        at = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03d}Z"
        text = record.getMessage()
        if record.exc_info:
            text = f"{text}\n{self.formatException(record.exc_info)}"
        if self._is_json:
            told = {name: getattr(record, name) for name in _TOLD if hasattr(record, name)}
            line = msgspec.json.encode({"at": at, "level": record.levelname.lower(), "message": text, **told})
        else:
            line = f"{at} {record.levelname.lower()} {text}".encode()
        return self._mask.mask(line)[0].decode()


class _QueuedHandler(logging.Handler):
    """Formats records where they arise, and leaves the writing to its thread."""

    def __init__(self, stream: TextIO, counts: Counts) -> None:
        super().__init__()
        self._stream = stream
        self._counts = counts
        self._lines: queue.Queue[str] = queue.Queue(_QUEUE_LINES)
        self._is_ending = False
        # A daemon, since it may hang for ever in a write that nobody takes.
        self._thread = threading.Thread(target=self._write, name="receiver-log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a line, or count it as dropped."""
        try:
            self._lines.put_nowait(self.format(record))
        except queue.Full:
            self._counts.log_lines_dropped += 1

    def end(self) -> None:
        """Write what is queued, if somebody takes it, and end."""
        self._is_ending = True
        self._thread.join(_LAST_LINES_SECONDS)

    def _write(self) -> None:
        while True:
            try:
                line = self._lines.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                if self._is_ending:
                    return
                continue
            with suppress(OSError, ValueError):
                self._stream.write(f"{line}\n")
                self._stream.flush()


@contextmanager
def written(style: str, mask: TokenMask, counts: Counts, stream: TextIO | None = None) -> Generator[None]:
    """Write every log line of the process as the receiver does, while the context lasts."""
    root = logging.getLogger()
    handler = _QueuedHandler(stream or sys.stderr, counts)
    handler.setFormatter(LineFormatter(style, mask))
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        handler.end()
