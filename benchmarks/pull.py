"""Pulling and loading a million records: the project, the limit, and what others would use.

    python -m benchmarks.pull --turns 5

The limit is fetching alone (httpx) and DuckDB's `read_json` of the same pages from disk. All take turns on the same
pages from one server, each in a process of its own; medians. What takes minutes is measured on `--few` records, and so
is the project once more, so that like stands beside like.
"""

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.measuring import Cost, FailedError, machine, measure, median

ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT / ".venv" / "peers"
SCRIPTS = ROOT / "benchmarks" / "peers"


@dataclass(frozen=True)
class Contender:
    """One way to pull.

    Attributes:
        name: As it stands in the table.
        command: With the places `{url}`, `{page}`, `{count}`, `{out}` and `{pages}`.
        is_slow: Whether it is measured on few records only.
    """

    name: str
    command: tuple[str, ...]
    is_slow: bool = False

    @property
    def can_run(self) -> bool:
        """Whether it is installed."""
        return Path(self.command[0]).exists()


def _of_peer(name: str, script: str, venv: str, *, is_slow: bool = True) -> Contender:
    python = str(PEERS / venv / "bin" / "python") if venv else sys.executable
    return Contender(
        name, (python, str(SCRIPTS / script), "{url}", "{page}", "{count}", "{out}", "{pages}"), is_slow=is_slow
    )


CONTENDERS = (
    _of_peer("fetching alone (httpx)", "fetch.py", "", is_slow=False),
    _of_peer("DuckDB read_json from disk", "read_json.py", "", is_slow=False),
    Contender(
        "progress_pipeline", (sys.executable, "-m", "benchmarks.pull_ours", "{url}", "{out}", "--page", "{page}")
    ),
    _of_peer("pandas script", "pandas_script.py", "", is_slow=False),
    _of_peer("dlt rest_api, Parquet", "dlt_rest_api.py", ""),
    _of_peer("singer-sdk, target-duckdb", "singer.py", "singer"),
    _of_peer("PyAirbyte", "pyairbyte.py", "airbyte"),
)
LIMIT = (CONTENDERS[0].name, CONTENDERS[1].name)
OURS = CONTENDERS[2].name


@contextlib.contextmanager
def serving(data: Path, count: int, days: float = 365) -> Iterator[str]:
    """Serve so many records from a process of its own; gives the address."""
    (data / "port").unlink(missing_ok=True)
    server = [sys.executable, "-m", "benchmarks.pull_server", str(data), "--records", str(count), "--days", str(days)]
    process = subprocess.Popen(server)
    try:
        while not (data / "port").exists():
            assert process.poll() is None
            time.sleep(0.1)
        yield f"http://127.0.0.1:{(data / 'port').read_text()}/"
    finally:
        process.terminate()
        process.wait()


def compare(data: Path, count: int, page: int, turns: int, contenders: list[Contender]) -> dict[str, Cost | str]:
    """Let contenders take turns; gives the medians, or why one failed."""
    pages = data / f"pages-{count}-{page}"
    # In a process of its own: the kernel counts the memory of whoever starts a program as that program's.
    arguments = [str(data), "--records", str(count), "--page", str(page), "--into", str(pages)]
    subprocess.run([sys.executable, "-m", "benchmarks.pull_server", *arguments], check=True, cwd=ROOT)
    costs: dict[str, list[Cost]] = {}
    failed: dict[str, str] = {}
    with serving(data, count) as url:
        for _ in range(turns):
            for each in contenders:
                if each.name in failed:
                    continue
                with tempfile.TemporaryDirectory(prefix="pull-", dir=data) as out:
                    places = {"url": url, "page": str(page), "count": str(count), "out": out, "pages": str(pages)}
                    command = [part.format_map(places) for part in each.command]
                    # `-m` finds the benchmarks from the root; what a run writes goes to its folder.
                    env = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": out, "DO_NOT_TRACK": "1"}
                    try:
                        cost = measure(command, cwd=Path(out), env=env)
                    except FailedError as error:
                        failed[each.name] = str(error)
                        print(f"{each.name} failed: {error}", flush=True)
                        continue
                costs.setdefault(each.name, []).append(cost)
                print(f"{count} by {page}  {each.name:28} {cost.cpu:7.1f} CPU s {cost.wall:7.1f} s", flush=True)
    shutil.rmtree(pages)
    return {each.name: failed.get(each.name) or median(costs[each.name]) for each in contenders}


def table(told: dict[str, Cost | str]) -> list[str]:
    """Write the table; every row against the limit and against ours."""
    costs = {name: cost for name, cost in told.items() if isinstance(cost, Cost)}
    limit = Cost(*(sum(getattr(costs[name], key) for name in LIMIT) for key in ("cpu", "wall", "peak")))
    ours = costs[OURS]
    lines = [
        "| way | CPU s | wall s | peak MB | CPU to the limit | CPU to ours | wall to ours |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, cost in [*costs.items(), ("limit: both together", limit)]:
        lines.append(
            f"| {name} | {cost.cpu:.1f} | {cost.wall:.1f} | {cost.peak:.0f} | {cost.cpu / limit.cpu:.2f} "
            f"| {cost.cpu / ours.cpu:.2f} | {cost.wall / ours.wall:.2f} |"
        )
    return lines + [
        f"| {name} | could not run here | | | | | |" for name, cost in told.items() if isinstance(cost, str)
    ]


def main() -> None:
    """Compare, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--few", type=int, default=100_000)
    parser.add_argument("--pages", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--slow-turns", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "progress-pull")
    parser.add_argument("--out", type=Path, help="write the results there, as JSON")
    asked = parser.parse_args()
    installed = [each for each in CONTENDERS if each.can_run]
    results = []
    for page in asked.pages:
        quick = [each for each in installed if not each.is_slow]
        results.append((asked.records, page, compare(asked.folder, asked.records, page, asked.turns, quick)))
    if asked.slow_turns:
        page = asked.pages[0]
        results.append((asked.few, page, compare(asked.folder, asked.few, page, asked.slow_turns, installed)))
    print(machine())
    for count, page, told in results:
        print(f"\n{count:,} records in pages of {page:,}\n")
        print("\n".join(table(told)))
    if asked.out:
        kept = [
            {
                "records": count,
                "page": page,
                "costs": {k: asdict(v) if isinstance(v, Cost) else v for k, v in told.items()},
            }
            for count, page, told in results
        ]
        asked.out.write_text(json.dumps(kept, indent=1))


if __name__ == "__main__":
    main()
