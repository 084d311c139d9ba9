"""The sandbox's clock: it stands still until it is moved, and what is due happens on the way."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from progress_pipeline.errors import UsageError
from progress_pipeline.sandbox.instants import from_us, span_us, to_us

Advance = Callable[[int, Callable[[int], None]], None]
"""Does what is due up to an instant; tells each instant before acting at it."""


class SandboxClock:
    """A clock that can be set and moved, forwards alone.

    Args:
        start: What it says at first, in microseconds since 1970.
        advance: Does what is due when it moves.
    """

    def __init__(self, start: int, advance: Advance) -> None:
        self._now = start
        self._advance = advance
        self._moving = threading.RLock()

    def __call__(self) -> datetime:
        """Give the present instant, aware and in UTC."""
        return from_us(self._now)

    def microseconds(self) -> int:
        """Give the present instant in microseconds since 1970."""
        return self._now

    @contextmanager
    def standing(self) -> Iterator[None]:
        """Keep the clock from being moved by another thread."""
        with self._moving:
            yield

    def set(self, instant: datetime) -> None:
        """Move on to an instant; pushes that are due until then are sent, in order, before this returns.

        Raises:
            UsageError: The instant lies before the present one, or has no time zone.
        """
        if instant.tzinfo is None:
            raise UsageError("The sandbox's clock needs an instant with a time zone.")
        self._move_to(to_us(instant))

    def move(self, span: timedelta) -> None:
        """Move on by a span, as `set` does."""
        with self._moving:
            self._move_to(self._now + span_us(span))

    def _move_to(self, instant: int) -> None:
        with self._moving:
            if instant < self._now:
                raise UsageError(
                    f"The sandbox's clock cannot go back from {self()} to {from_us(instant)}; start another sandbox."
                )
            self._advance(instant, self._tick)
            self._now = instant

    def _tick(self, instant: int) -> None:
        self._now = max(self._now, instant)
