"""Real learners, served from a Parquet file of the twelve fields, and pulled once with the real command.

.venv/bin/python -m benchmarks.real_learners ../shared/data/oulad/api_records.parquet

Every registration must be in marts.fct_progress and every completion in marts.fct_completions; what is odd must be in
raw.rejects or flagged by a check.
"""

import argparse
import shutil
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from tests.e2e.plain_vendor import Switches, Vendor
from tests.e2e.plain_world import Update
from tests.e2e.playing import command, environment, rows


def main() -> None:
    """Serve, pull, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("records", type=Path)
    parser.add_argument("--filter-on", choices=("changed", "started", "completed"), default="changed")
    parser.add_argument("--page-cap", type=int)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="learners-"))
    shutil.rmtree(folder, ignore_errors=True)
    updates = _updates(asked.records)
    switches = Switches(filter_on=asked.filter_on, page_cap=asked.page_cap)
    with Vendor(switches, updates) as vendor:
        now = updates[-1].at + timedelta(days=1)
        vendor.move_to(now)
        env = environment(folder / "data", vendor.url)
        for _ in range(3):
            began = time.monotonic()
            spoken = command("run", "--as-of", now.isoformat(), env=env)
            seconds = time.monotonic() - began
            print(f"exit {spoken.exit_code} in {seconds:.0f} s, {vendor.calls} calls by day\n{spoken.out}{spoken.err}")
            if spoken.exit_code == 0:
                break
            now += timedelta(days=1, minutes=1)
            vendor.move_to(now)
        truth = vendor.truth()
        completed = {name for name, record in truth.items() if record["dateCompleted"]}
    published = folder / "data" / "published" / "progress.duckdb"
    held = {row["registration_id"] for row in rows(published, "select registration_id from marts.fct_progress")}
    done = {row["registration_id"] for row in rows(published, "select registration_id from marts.fct_completions")}
    rejects = rows(folder / "data" / "warehouse" / "progress.duckdb", "select count(*) as count from raw.rejects")
    print(f"registrations {len(truth)}, held {len(held & truth.keys())}, invented {len(held - truth.keys())}")
    print(f"completions {len(completed)}, held {len(done & completed)}, invented {len(done - completed)}")
    print(f"rejects {rejects[0]['count']}")
    assert held == truth.keys()
    assert done == completed


def _updates(file: Path) -> list[Update]:
    """Read the records, each as last changed when it was completed, or else started."""
    with duckdb.connect() as connection:
        cursor = connection.execute("select * from read_parquet($1)", [str(file)])
        names = [column[0] for column in cursor.description or ()]
        records = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    updates = []
    for record in records:
        dates = {name: _instant(record[name]) for name in ("dateStarted", "dateCompleted")}
        at = dates["dateCompleted"] or dates["dateStarted"] or datetime(2013, 1, 1, tzinfo=UTC)
        updates.append(Update(at, "progressed", record | dates))
    return sorted(updates, key=lambda update: update.at)


def _instant(value: datetime | str | None) -> datetime | None:
    if not value:
        return None
    at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


if __name__ == "__main__":
    main()
