"""Loading landed deliveries into the warehouse, against DuckDB's bare read_ndjson over the same segments.

Each side runs in a process of its own, in turns; medians of seconds, and the peak of memory. DuckDB only reads lines;
the loader also checks each body's hash, judges it, and writes deliveries and updates with their manifest.

    .venv/bin/python -m benchmarks.receiver_loading --deliveries 100000 --turns 3
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.receiver_chaos import LOAD
from benchmarks.receiver_throughput import BODY
from progress_pipeline.landing import envelopes

SEGMENT = 10_000

BARE = """
import sys, duckdb
with duckdb.connect(sys.argv[1]) as connection:
    connection.execute(f"create table deliveries as select * from read_ndjson('{sys.argv[2]}/*.ndjson')")
"""
MEASURED = """
import resource, time
start = time.perf_counter()
{code}
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def land(landing: Path, count: int) -> None:
    """Land deliveries of two updates each, each with transactions of its own."""
    landing.mkdir()
    for start in range(0, count, SEGMENT):
        lines = []
        for number in range(start, min(start + SEGMENT, count)):
            body = BODY.replace('"transactionId": 1', f'"transactionId": {number}').encode()
            lines.append(envelopes.write_line(body, delivery_id=f"{number:040x}", received_at="2026-11-23T06:15:44Z"))
        (landing / f"{start}.ndjson").write_bytes(b"".join(lines))


def measure(code: str, database: Path, landing: Path) -> tuple[float, float]:
    """Run one side, and give its seconds and its peak of memory in MB."""
    command = [sys.executable, "-c", MEASURED.format(code=code), str(database), str(landing)]
    shown = subprocess.run(command, check=True, capture_output=True, text=True, cwd=database.parent).stdout.split()
    return float(shown[-2]), float(shown[-1])


def main() -> None:
    """Let both sides take turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=100_000)
    parser.add_argument("--turns", type=int, default=3)
    told = parser.parse_args()
    taken: dict[str, list[tuple[float, float]]] = {"bare": [], "loader": []}
    with tempfile.TemporaryDirectory(prefix="receiver-") as folder:
        landing = Path(folder) / "landing"
        land(landing, told.deliveries)
        for turn in range(told.turns):
            for name, code in (("bare", BARE), ("loader", LOAD)):
                one = measure(code, Path(folder) / f"{name}-{turn}.duckdb", landing)
                taken[name].append(one)
                print(f"{name:6}  {turn}  {one[0]:6.2f} s  peak {one[1]:5.0f} MB", flush=True)
    bare, loader = (statistics.median(seconds for seconds, _ in taken[name]) for name in ("bare", "loader"))
    print(f"{told.deliveries} deliveries: the loader runs at {bare / loader:.2f} of the bare rate (bound 0.50)")


if __name__ == "__main__":
    main()
