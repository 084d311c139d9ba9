"""The daily run on histories of different lengths: does a day cost more because there were more days before?

    python -m benchmarks.daily_run --histories 100000 1000000 10000000 --days 3

A day has 10,000 new records and as many pushed updates, so a longer history is more days of the same. The history is
pulled and built by one run of the real command, which is not measured; then some days follow, each a run of its own.
CPU and wall are those of the whole process; the seconds of publishing stand apart, from `--profile`. With
`--unpublished` nothing is published, neither the history nor a day, so CPU and memory are those of the rest too.

A history of 10,000,000 takes 4 GB of records here, 5 GB of warehouse, and 7 GB of memory to be published; what lies in
the folder `--folder` stays for the next time.
"""

import argparse
import json
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.measuring import Cost, machine, measure
from benchmarks.pull import ROOT, serving
from benchmarks.pull_server import BEGIN, make_records
from progress_pipeline.landing import envelopes

A_DAY = 10_000
COMMAND = f"{Path(sys.executable).with_name('progress-pipeline')} run --json --profile --as-of"
UNPUBLISHED = f"{sys.executable} -m benchmarks.unpublished_run"


def days(data: Path, history: int, count: int, command: str = COMMAND) -> list[tuple[Cost, float]]:
    """Build a history and play some days; gives what each cost, and the seconds of publishing."""
    whole = history + count * A_DAY
    file = make_records(data, whole, whole / A_DAY)
    first = BEGIN + timedelta(days=history / A_DAY)
    costs = []
    with (
        serving(data, whole, whole / A_DAY) as url,
        tempfile.TemporaryDirectory(prefix="daily-", dir=data) as folder,
        file.open("rb") as records,
    ):
        env = {
            "PATH": "/usr/bin:/bin",
            "HOME": folder,
            "PYTHONPATH": str(ROOT),
            "PROGRESS_API_URL": f"{url}api/reports/progress",
            "PROGRESS_API_TOKEN": "none",
            "PROGRESS_API_PAGE_SIZE": "10000",
            "PROGRESS_DATA_DIR": folder,
            "PROGRESS_START_DATE": f"{BEGIN:%Y-%m-%d}",
        }
        _run(command, first, Path(folder), {**env, "PROGRESS_API_DAILY_CALLS": "100000"})
        records.seek(int(np.load(file.with_suffix(".npy"), mmap_mode="r")[history]))
        for day in range(1, count + 1):
            now = first + timedelta(days=day)
            _land(Path(folder) / "landing" / "webhook", [records.readline() for _ in range(A_DAY)], now, day)
            cost, spent = _run(command, now, Path(folder), env)
            publishing = sum(each["seconds"] for each in spent if each["step"] == "published__progress")
            costs.append((cost, publishing))
            print(f"{history:>11,} day {day}: {cost.cpu:6.1f} CPU s {cost.wall:6.1f} s, publishing {publishing:.1f} s")
            for each in spent:
                if (each["seconds"] or 0) > 0.2:
                    print(f"    {each['step']:<20} {each['seconds']:6.2f} s  {each['part']}", flush=True)
    return costs


def _run(command: str, now: datetime, folder: Path, env: dict[str, str]) -> tuple[Cost, list[dict[str, Any]]]:
    out = folder / "run.json"
    shell = ["/bin/sh", "-c", f"{command} {now:%Y-%m-%dT%H:%M:%SZ} > {out}"]
    # Nobody pushed the history, so a check finds that much is missing there, and says so with 3.
    cost = measure(shell, cwd=folder, env=env, allowed=(0, 3))
    return cost, json.loads(out.read_text())["profile"]


def _land(landing: Path, records: list[bytes], now: datetime, day: int) -> None:
    """Land a day's records as pushes of one update each, in one segment."""
    landing.mkdir(parents=True, exist_ok=True)
    at = f"{now - timedelta(hours=3):%Y-%m-%dT%H:%M:%SZ}"
    bodies = (b'{"started":[],"progressed":[' + line.strip().rstrip(b",") + b'],"completions":[]}' for line in records)
    lines = (
        envelopes.write_line(body, delivery_id=f"{day:08x}{place:032x}", received_at=at)
        for place, body in enumerate(bodies)
    )
    (landing / f"day-{day}.ndjson").write_bytes(b"".join(lines))


def main() -> None:
    """Play the days on each history, and hold the last against the first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--histories", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--days", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "progress-daily")
    parser.add_argument("--unpublished", action="store_true", help="publish nothing")
    parser.add_argument("--out", type=Path, help="write the results there, as JSON")
    asked = parser.parse_args()
    rows = []
    for history in asked.histories:
        played = days(asked.folder, history, asked.days, UNPUBLISHED if asked.unpublished else COMMAND)
        rows.append(
            {
                "history": history,
                "cpu": median(cost.cpu for cost, _ in played),
                "wall": median(cost.wall - publishing for cost, publishing in played),
                "publishing": median(publishing for _, publishing in played),
                "peak": median(cost.peak for cost, _ in played),
            }
        )
    print(machine())
    print("| records before | CPU s | wall s without publishing | to the first | publishing s | peak MB |")
    print("| --- | --- | --- | --- | --- | --- |")
    for row in rows:
        ratio = row["wall"] / rows[0]["wall"]
        print(
            f"| {row['history']:,} | {row['cpu']:.1f} | {row['wall']:.1f} | {ratio:.2f} "
            f"| {row['publishing']:.1f} | {row['peak']:.0f} |"
        )
    if asked.out:
        asked.out.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
