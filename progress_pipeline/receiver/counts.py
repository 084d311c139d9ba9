"""What the receiver counts about itself: plain numbers, written by the event loop's thread and read by any.

They are numbers and not Prometheus objects because a request on the fast path must not pay for a lock; `metrics` shows
them to whoever asks.
"""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

COMMIT_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds of the commit latency's buckets, in seconds."""


@dataclass
class Counts:
    """The numbers. A refusal's key is its status (0 for a failed handshake) and reason."""

    deliveries: int = 0
    delivered_bytes: int = 0
    masked_tokens: int = 0
    refusals: Counter[tuple[int, str]] = field(default_factory=Counter)
    connections_cut: int = 0
    commits: int = 0
    commit_failures: int = 0
    commit_seconds: float = 0.0
    commit_buckets: list[int] = field(default_factory=lambda: [0] * (len(COMMIT_BUCKETS) + 1))
    sealed_segments: int = 0
    certificate_reloads: int = 0
    certificate_refusals: int = 0
    log_lines_dropped: int = 0

    def observe_commit(self, seconds: float, *, is_durable: bool) -> None:
        """Count one write and sync of a group."""
        self.commits += 1
        self.commit_failures += not is_durable
        self.commit_seconds += seconds
        self.commit_buckets[bisect_left(COMMIT_BUCKETS, seconds)] += 1
