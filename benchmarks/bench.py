"""Runs the benchmarks one after the other, and writes docs/benchmarks.md and its chart.

    python -m benchmarks.bench                  # make bench: everything, under half an hour on a quiet machine
    python -m benchmarks.bench --from FOLDER    # writes the page again from results that are there

What is measured and how stands in the modules that it runs: `pull`, `daily_run`, `idle`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pygal
from pygal.style import CleanStyle

from benchmarks.measuring import Cost, machine
from benchmarks.pull import LIMIT, OURS, table

ROOT = Path(__file__).resolve().parents[1]
PAGE, CHART = ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "benchmarks-pull.svg"

RUNS = {
    "pull": ["benchmarks.pull", "--turns", "5", "--slow-turns", "1"],
    "idle": ["benchmarks.idle", "--turns", "5"],
    "daily": ["benchmarks.daily_run", "--days", "3"],
}

HEAD = """\
# Benchmarks

`make bench` runs all of this and writes this page; `make bench-peers` installs what the project is compared with, from
the pins in `benchmarks/peers/*.lock`. CPU seconds are those of a whole process and of all that it started, imports
included.

"""

PULLED = """\
## Pulling and loading

One server on this machine sends prebuilt pages; each way is a process of its own, all take turns, and a row is the
median of five, of what takes long the one turn there was. The limit is fetching alone (httpx) and DuckDB reading the
same pages from disk. The project's row holds all that a first daily run does of this: each call in the ledger and
synced to disk before it leaves, each page kept compressed, proofs of completeness, and dlt's load. sling's binary
finds its DuckDB only by a download, so it could not be measured here.

What stands between the project's row and the limit, in CPU seconds of 1,000,000 records in pages of 10,000, each part
measured alone: DuckDB's insert takes 2.6. Reading pages takes 1.7: 0.85 decoding, 0.8 from the
decoder's texts to Arrow's and for strictness. Fetching takes 1.1, keeping pages with their hashes 0.8, imports 0.75,
dlt itself about 1, finding what is new 0.6, writing Parquet 0.4, the rest is for proving that pages link. Pages of
1,000 add 2 to 3 for calls: HTTP, the ledger, a file each. With both cores busy at once each of these costs about a
quarter more than alone. The pandas script keeps no page, proves nothing and judges nothing. Of what 100,000 records
take, 1.1 s are there for ten records too: imports, opening the warehouse, one load of dlt.

By the clock Python computes nearly all of the time in the one thread that asks, since each question follows from the
answer before: reading pages, HTTP, what each answer shows of the vendor, the ledger, importing. Packing pages and
DuckDB's part of a load leave Python and take the other core, about as long; the last load, about 0.8 s, has nothing
beside it, and two threads do not shorten it. A sync of the ledger takes 0.2 ms here, the server's answers 0.4 s in
all. Python gives way after 0.5 ms instead of 5, which a load waits for some hundred times: 0.6 s less. Keeping pages
in the thread that asks takes 0.8 s more of it in pages of 1,000. Telling versions apart by a hash of each record took
a tenth of all (docs/decisions/0008): now only records that come again are held against what came before. Reading
pages in a process of its own is not tried.
"""

DAYS = """\
## The daily run, after histories of different lengths

A day has 10,000 new records, which are asked and pushed. The seconds of publishing stand apart, since the whole
published file is written anew.

What grows with history is looking for the rows of the changed keys by numbers, 8 bytes a row and table; what happened
on each day, counted anew; what the API is asked for again; and the checks that each key stands once, which look at all
rows.

| records before | CPU s | wall s without publishing | to the first | publishing s | peak MB |
| --- | --- | --- | --- | --- | --- |
"""

IDLE = """\
## Little to do

| command | CPU s | wall s |
| --- | --- | --- |
"""


def write_page(folder: Path) -> None:
    """Write the page from the results in a folder."""
    told = {each.stem: json.loads(each.read_text()) for each in folder.glob("*.json")}
    lines = [HEAD, f"Measured on {datetime.now(UTC):%Y-%m-%d}: {(folder / 'machine.txt').read_text().strip()}.\n"]
    if "pull" in told:
        lines.append(PULLED)
        for result in told["pull"]:
            costs = {name: Cost(**cost) if isinstance(cost, dict) else cost for name, cost in result["costs"].items()}
            lines += [f"{result['records']:,} records in pages of {result['page']:,}:\n", *table(costs), ""]
        lines.append(f"![CPU seconds by way of pulling]({CHART.name})\n")
        draw(told["pull"])
    if "daily" in told:
        first = told["daily"][0]["wall"]
        rows = [
            f"| {row['history']:,} | {row['cpu']:.1f} | {row['wall']:.1f} | {row['wall'] / first:.2f} "
            f"| {row['publishing']:.1f} | {row['peak']:.0f} |"
            for row in told["daily"]
        ]
        lines.append(DAYS + "\n".join(rows) + "\n")
    if "idle" in told:
        calls = told["idle"].pop("calls")
        rows = [f"| {name} | {cost['cpu']:.2f} | {cost['wall']:.2f} |" for name, cost in told["idle"].items()]
        lines.append(IDLE + "\n".join(rows) + f"\n\nCalls of a run with nothing new: {max(calls)} at most.\n")
    PAGE.write_text("\n".join(lines))
    print(f"written {PAGE}")


def draw(results: list[dict[str, Any]]) -> None:
    """Draw the CPU seconds of each way, for each 100,000 records."""
    most = max(results, key=lambda result: sum(isinstance(cost, dict) for cost in result["costs"].values()))
    costs = {name: cost["cpu"] for name, cost in most["costs"].items() if isinstance(cost, dict)}
    bars = {"limit": sum(costs.pop(name) for name in LIMIT)} | {OURS: costs.pop(OURS)} | costs
    chart = pygal.HorizontalBar(style=CleanStyle, show_legend=False, print_values=True, height=320, js=[])
    chart.title = f"CPU seconds, {most['records']:,} records in pages of {most['page']:,}"
    chart.x_labels = list(bars)
    chart.add("CPU s", [round(value, 1) for value in bars.values()])
    CHART.write_bytes(chart.render())


def main() -> None:
    """Run everything, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="folder", type=Path, help="take the results from there; nothing is run")
    parser.add_argument("--only", choices=list(RUNS), nargs="+", default=list(RUNS))
    parser.add_argument("--out", type=Path, help="keep the results there")
    asked = parser.parse_args()
    folder = asked.folder
    if folder is None:
        folder = asked.out or Path(tempfile.mkdtemp(prefix="bench-"))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "machine.txt").write_text(machine())
        for name in asked.only:
            module, *options = RUNS[name]
            command = [sys.executable, "-m", module, *options, "--out", str(folder / f"{name}.json")]
            subprocess.run(command, check=True, cwd=ROOT)
    write_page(folder)


if __name__ == "__main__":
    main()
