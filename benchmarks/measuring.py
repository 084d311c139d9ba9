"""Runs a program and says what it cost: CPU of it and of all that it waited for, wall time, and its peak of memory.

Memory is the peak of the largest of its processes, as the kernel tells it.
"""

import os
import platform
import statistics
import subprocess
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("dagster", "dlt", "duckdb", "httpx", "msgspec", "pandas", "pyarrow")


@dataclass(frozen=True)
class Cost:
    """What one run cost: seconds and MB; and what it printed last."""

    cpu: float
    wall: float
    peak: float
    said: str = ""


class FailedError(RuntimeError):
    """A program that is measured failed."""


def measure(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None, allowed: Collection[int] = (0,)
) -> Cost:
    """Run a program to its end; one that ends with another exit code than those allowed failed."""
    with (cwd / "said.txt").open("w+b") as said:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=cwd, stdout=said, stderr=subprocess.STDOUT, env=env)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read().decode(errors="replace").strip()
    if process.returncode not in allowed:
        raise FailedError(f"{command[:4]} ended with {process.returncode}: {text[-2000:]}")
    return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024, text.rpartition("\n")[2])


def median(costs: Sequence[Cost]) -> Cost:
    """Give the medians of some runs."""
    return Cost(
        statistics.median(cost.cpu for cost in costs),
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.peak for cost in costs),
        costs[-1].said,
    )


def machine() -> str:
    """Say on what was measured, with which versions."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine()
    )
    told = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    load = os.getloadavg()[0]
    return f"{model}, {os.cpu_count()} cores, load {load:.1f}, Python {platform.python_version()}; {told}"
