"""A year on a vendor that shares nothing with the sandbox, the daily command in a process of its own each day.

.venv/bin/python -m benchmarks.year --registrations 1000 --step-days 1 --transactions per_update --filter-on started

After the last day the published facts are held against the vendor's truth, field by field.
"""

import argparse
import shutil
import tempfile
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

from tests.e2e.plain_vendor import Switches, Vendor
from tests.e2e.playing import command, differences, environment


def main() -> None:
    """Play the year and say what came of it."""
    asked = _arguments()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="year-"))
    shutil.rmtree(folder, ignore_errors=True)
    data = folder / "data"
    switches = Switches(
        registrations=asked.registrations,
        days=asked.days,
        envelope=asked.envelope,
        transactions=asked.transactions,
        filter_on=asked.filter_on,
        end_inclusive=asked.end_inclusive,
        undated=asked.undated,
        odd=asked.odd,
        page_cap=asked.page_cap,
        landing=data / "landing" / "webhook" if asked.webhook else None,
        lost_share=0.03,
        silence=(100.0, 101.5),
        seed=asked.seed,
    )
    codes: Counter[int] = Counter()
    began = time.monotonic()
    with Vendor(switches) as vendor:
        env = environment(data, vendor.url)
        for day in range(asked.step_days, asked.days + asked.tail_days + 1, asked.step_days):
            now = switches.start + timedelta(days=day, hours=5)
            vendor.move_to(now)
            spoken = command("run", "--as-of", f"{now:%Y-%m-%dT%H:%M:%SZ}", env=env)
            codes[spoken.exit_code] += 1
            if spoken.exit_code:
                print(f"{now:%Y-%m-%d} exit {spoken.exit_code}\n{spoken.out}{spoken.err}", flush=True)
            elif asked.verbose:
                print(f"{now:%Y-%m-%d}\n{spoken.out}{spoken.err}", flush=True)
        found = differences(data / "published" / "progress.duckdb", vendor)
        truth = vendor.truth()
        print(f"runs {sum(codes.values())} in {time.monotonic() - began:.0f} s, exit codes {dict(codes)}")
        print(f"registrations {len(truth)}, completions {len(vendor.completions())}, updates {len(vendor.updates)}")
        print(
            f"calls {sum(vendor.calls.values())}, most in a day {max(vendor.calls.values())}, refused {vendor.refused}"
        )
        print(f"pushed updates lost {vendor.lost}; differences {len(found)}")
        for each in found[:20]:
            print(f"  {each}")
    assert not found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--registrations", type=int, default=300)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--tail-days", type=int, default=0, help="days to go on after the last start")
    parser.add_argument("--step-days", type=int, default=1)
    parser.add_argument("--envelope", choices=("rows", "array"), default="rows")
    parser.add_argument("--transactions", choices=("in_place", "per_update"), default="in_place")
    parser.add_argument("--filter-on", choices=("changed", "started", "completed"), default="changed")
    parser.add_argument("--undated", choices=("in", "out"), default="in")
    parser.add_argument("--end-inclusive", action="store_true")
    parser.add_argument("--odd", action="store_true")
    parser.add_argument("--page-cap", type=int)
    parser.add_argument("--webhook", action="store_true", help="drop webhook bodies too, some lost, a day of silence")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--verbose", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
