"""The one table in which each of the receiver's trials ends: what was bounded, the limit, the value, and the verdict.

`Bounds.end` prints it and leaves with 1 if a bound is missed.
"""

import os
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

QUIET = 0.7
"""Share of idle time from which on the machine counts as quiet."""


@dataclass
class Bounds:
    """The bounds of one trial."""

    title: str
    rows: list[tuple[str, str, str, str, str]] = field(default_factory=list)
    missed_count: int = 0

    def at_most(self, what: str, value: float, limit: float, unit: str = "") -> None:
        """Hold a value against an upper limit."""
        self._add(what, f"<= {_text(limit)}{unit}", f"{_text(value)}{unit}", value / limit, is_held=value <= limit)

    def at_least(self, what: str, value: float, limit: float, unit: str = "") -> None:
        """Hold a value against a lower limit."""
        self._add(what, f">= {_text(limit)}{unit}", f"{_text(value)}{unit}", value / limit, is_held=value >= limit)

    def none(self, what: str, count: int) -> None:
        """Hold that there is nothing of a kind."""
        self._add(what, "0", str(count), None, is_held=count == 0)

    def holds(self, what: str, is_held: bool, value: object = "") -> None:
        """Hold that something is so."""
        self._add(what, "yes", str(value or ("yes" if is_held else "no")), None, is_held=is_held)

    def told(self, what: str, value: object) -> None:
        """Tell a value that is not bounded."""
        self.rows.append((what, "", str(value), "", ""))

    def end(self) -> None:
        """Print the table; leave with 1 if a bound is missed."""
        head = (self.title, "limit", "value", "ratio", "verdict")
        widths = [max(len(row[place]) for row in (head, *self.rows)) for place in range(len(head))]
        print()
        for row in (head, *self.rows):
            cells = [
                row[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
            print("  ".join(cells).rstrip())
        one, five, fifteen = os.getloadavg()
        print(f"{os.cpu_count()} cores, load {one:.1f} {five:.1f} {fifteen:.1f} at the end", flush=True)
        sys.exit(1 if self.missed_count else 0)

    def _add(self, what: str, limit: str, value: str, ratio: float | None, *, is_held: bool) -> None:
        self.missed_count += not is_held
        self.rows.append((what, limit, value, "" if ratio is None else f"{ratio:.2f}", "held" if is_held else "MISSED"))


def _text(value: float) -> str:
    return f"{value:.0f}" if value == int(value) or value >= 1_000 else f"{value:.2f}"


def sync_seconds(folder: Path, size: int = 1_100, count: int = 300) -> float:
    """Measure the append of some bytes with its fdatasync on the disk under a folder; the median of many."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ".sync"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    taken = []
    for _ in range(count):
        os.write(descriptor, b"x" * size)
        start = time.perf_counter()
        os.fdatasync(descriptor)
        taken.append(time.perf_counter() - start)
    os.close(descriptor)
    path.unlink()
    return statistics.median(taken)


def idle_share(seconds: float) -> float:
    """Tell which share of all cores' time was idle for a while (proc(5), stat)."""

    def look() -> tuple[int, int]:
        ticks = [int(text) for text in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
        return ticks[3] + ticks[4], sum(ticks)

    idle, total = look()
    time.sleep(seconds)
    idle_after, total_after = look()
    return (idle_after - idle) / max(1, total_after - total)


def wait_for_quiet(patience: float) -> float:
    """Wait until little else runs on the machine, but not for ever; give the share of idle time seen last."""
    end = time.monotonic() + patience
    share = idle_share(0.5)
    while share < QUIET and time.monotonic() < end:
        share = idle_share(0.5)
    return share
