"""Names each delivery, and says when it was received, to the nanosecond."""

import itertools
import secrets
import time
from collections.abc import Callable

from progress_pipeline.clock import Clock, system_clock


def nanoseconds(clock: Clock) -> Callable[[], int]:
    """Make a clock that counts nanoseconds since 1970; of the machine's own it is the full resolution."""
    if clock is system_clock:
        return time.time_ns
    return lambda: int(clock().timestamp() * 1_000_000) * 1000


class DeliveryNames:
    """Gives ids that sort by time and are never given twice, over restarts and processes too."""

    def __init__(self, clock: Clock) -> None:
        self._now = nanoseconds(clock)
        self._process = secrets.token_hex(8)
        self._numbers = itertools.count()
        self._second = -1
        self._second_text = ""

    def next(self) -> tuple[str, str]:
        """Name one delivery: its id, and when it was received in UTC, as ISO 8601 with nanoseconds."""
        now = self._now()
        second, fraction = divmod(now, 1_000_000_000)
        if second != self._second:
            self._second = second
            self._second_text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        delivery_id = f"{now:016x}{self._process}{next(self._numbers):08x}"
        return delivery_id, f"{self._second_text}.{fraction:09d}Z"
