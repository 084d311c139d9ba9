"""What commands cost that have little to do: a run with nothing new, `status`, `--help`.

    python -m benchmarks.idle --turns 5

On a month of the sandbox, brought up to date first; each command is a process of its own. A run with nothing new is
one as of a minute after the last, so that there is nothing to cover but that minute.
"""

import argparse
import json
import sqlite3
import sys
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.measuring import Cost, machine, measure, median
from progress_pipeline.sandbox.config import SandboxConfig
from progress_pipeline.sandbox.server import Sandbox

COMMAND = str(Path(sys.executable).with_name("progress-pipeline"))
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def _calls(folder: Path) -> int:
    """Give the calls in the ledger."""
    with closing(sqlite3.connect(folder / "ledger" / "calls.sqlite")) as ledger:
        told = ledger.execute("select count(*) from calls").fetchone()
    return int(told[0])


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--out", type=Path, help="write the results there, as JSON")
    asked = parser.parse_args()
    costs: dict[str, list[Cost]] = {"run with nothing new": [], "status": [], "--help": [], "python -c pass": []}
    calls = []
    with tempfile.TemporaryDirectory(prefix="idle-") as name:
        folder = Path(name)
        landing = folder / "landing" / "webhook"
        landing.mkdir(parents=True)
        config = SandboxConfig(seed=5, registrations=400, days=30, start_at=BEGIN, push_folder=landing)
        with Sandbox(config) as sandbox:
            env = {
                "PATH": "/usr/bin:/bin",
                "HOME": name,
                "PROGRESS_API_URL": sandbox.api_url,
                "PROGRESS_API_TOKEN": sandbox.token,
                "PROGRESS_DATA_DIR": name,
                "PROGRESS_START_DATE": f"{BEGIN:%Y-%m-%d}",
            }
            now = BEGIN + timedelta(days=30)
            sandbox.clock.set(now)
            for turn in range(asked.turns + 2):
                at = now + timedelta(minutes=turn)
                sandbox.clock.set(at)
                run = [COMMAND, "run", "--as-of", f"{at:%Y-%m-%dT%H:%M:%SZ}"]
                before = _calls(folder) if turn else 0
                cost = measure(run, cwd=folder, env=env, allowed=(0, 3))
                if turn >= 2:
                    costs["run with nothing new"].append(cost)
                    calls.append(_calls(folder) - before)
                    costs["status"].append(measure([COMMAND, "status"], cwd=folder, env=env))
                    costs["--help"].append(measure([COMMAND, "--help"], cwd=folder, env=env))
                    costs["python -c pass"].append(measure([sys.executable, "-c", "pass"], cwd=folder, env=env))
    medians = {name: median(each) for name, each in costs.items()}
    print(machine())
    print(f"calls of a run with nothing new: {calls}")
    print("| command | CPU s | wall s | peak MB |\n| --- | --- | --- | --- |")
    for name, cost in medians.items():
        print(f"| {name} | {cost.cpu:.2f} | {cost.wall:.2f} | {cost.peak:.0f} |")
    if asked.out:
        kept = {name: {"cpu": cost.cpu, "wall": cost.wall} for name, cost in medians.items()}
        asked.out.write_text(json.dumps(kept | {"calls": calls}, indent=1))


if __name__ == "__main__":
    main()
