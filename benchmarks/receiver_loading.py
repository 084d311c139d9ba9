"""Loading landed deliveries into the warehouse, against DuckDB's bare read_ndjson over the same segments.

Each side runs in a process of its own, in turns; each pair is compared, imports not counted. DuckDB only reads lines;
the loader also checks each body's hash, judges it, and writes deliveries and updates with their manifest.

    .venv/bin/python -m benchmarks.receiver_loading --deliveries 100000 --turns 5
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.receiver_bounds import Bounds, wait_for_quiet
from benchmarks.receiver_throughput import BODY
from progress_pipeline.landing import envelopes

SEGMENT = 10_000

BARE = """
import sys, duckdb
def work():
    with duckdb.connect(sys.argv[1]) as connection:
        connection.execute(f"create table deliveries as select * from read_ndjson('{sys.argv[2]}/*.ndjson')")
"""
LOADER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
import dlt.destinations
from progress_pipeline.ingest.loading import Loader
from progress_pipeline.ingest.rows import RunFacts
from progress_pipeline.ingest.webhook import load_landed, webhook
def work():
    now = datetime.now(UTC)
    with Loader(Path(sys.argv[1]), RunFacts("trial", now, "land", now, 120, 2, 500)) as loader:
        load_landed(loader, Path(sys.argv[2]), now=now)
        loader.load(webhook(loader))
"""
MEASURED = """
import resource, time
start, cpu = time.perf_counter(), time.process_time()
work()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(time.perf_counter() - start, time.process_time() - cpu, peak)
"""


@dataclass(frozen=True)
class Measured:
    """What one side took: seconds, seconds of CPU, and its peak of memory in MiB."""

    seconds: float
    cpu: float
    peak: float


def land(landing: Path, count: int) -> None:
    """Land deliveries of two updates each, each with transactions of its own."""
    landing.mkdir()
    for start in range(0, count, SEGMENT):
        lines = []
        for number in range(start, min(start + SEGMENT, count)):
            body = BODY.replace('"transactionId": 1', f'"transactionId": {number}').encode()
            lines.append(envelopes.write_line(body, delivery_id=f"{number:040x}", received_at="2026-11-23T06:15:44Z"))
        (landing / f"{start}.ndjson").write_bytes(b"".join(lines))


def measure(code: str, database: Path, landing: Path) -> Measured:
    """Run one side, its imports not counted."""
    command = [sys.executable, "-c", code + MEASURED, str(database), str(landing)]
    shown = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=database.parent).stdout.split()
    return Measured(*map(float, shown[-3:]))


def main() -> None:
    """Let both sides take turns, and the loader then load twice as much."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=100_000)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--patience", type=float, default=0, help="seconds to wait for a quiet machine, each turn")
    told = parser.parse_args()
    idle: list[float] = []
    pairs: list[tuple[Measured, Measured]] = []
    with tempfile.TemporaryDirectory(prefix="receiver-") as name:
        folder = Path(name)
        land(folder / "landing", told.deliveries)
        print("turn  side      seconds  CPU s  peak MiB")
        for turn in range(told.turns):
            idle.append(wait_for_quiet(told.patience))
            bare = measure(BARE, folder / f"bare-{turn}.duckdb", folder / "landing")
            loader = measure(LOADER, folder / f"loader-{turn}.duckdb", folder / "landing")
            pairs.append((bare, loader))
            for side, one in (("bare", bare), ("loader", loader)):
                print(f"{turn:4}  {side:6}  {one.seconds:9.2f}  {one.cpu:5.2f}  {one.peak:8.0f}", flush=True)
        land(folder / "twice", 2 * told.deliveries)
        twice = measure(LOADER, folder / "twice.duckdb", folder / "twice")
    bounds = Bounds(f"loading {told.deliveries} deliveries, {told.turns} pairs")
    bounds.told("idle time of all cores before each pair", " ".join(f"{share:.0%}" for share in idle))
    rate = told.deliveries / statistics.median(loader.seconds for _, loader in pairs)
    bounds.told("loader: deliveries per second, median", f"{rate:.0f}")
    ratio = statistics.median(bare.seconds / loader.seconds for bare, loader in pairs)
    bounds.at_least("rate, of bare read_ndjson's", ratio, 0.5)
    bounds.told("the same by CPU", f"{statistics.median(bare.cpu / loader.cpu for bare, loader in pairs):.2f}")
    peak = statistics.median(loader.peak for _, loader in pairs)
    bounds.told("peak of memory, MiB: bare, loader", f"{statistics.median(b.peak for b, _ in pairs):.0f}, {peak:.0f}")
    bounds.at_most("peak of memory with twice as many deliveries", twice.peak / peak, 1.25)
    bounds.end()


if __name__ == "__main__":
    main()
