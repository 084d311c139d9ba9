"""Pulls everything from an endpoint into a new warehouse by the project's own path, without Dagster.

    python -m benchmarks.pull_ours URL FOLDER --page 1000

The plan of a first daily run, the client with its ledger and kept pages, the parsing, and dlt into DuckDB; Python's
collector is treated as by the command `run`.
"""
# ruff: noqa: PLC0415 - what a pull imports is part of what it costs, and the collector rests meanwhile

import argparse
import contextlib
import json
from datetime import timedelta
from pathlib import Path

from progress_pipeline.cli.running import starting

CALLS = 1_000_000
"""More than any of these pulls takes; the vendor's 500 a day are not what is measured."""


def pull(url: str, folder: Path, page_size: int) -> dict[str, object]:
    """Pull, and say what came."""
    with starting():
        from progress_pipeline.clock import frozen_clock
        from progress_pipeline.ingest.loading import Loader
        from progress_pipeline.ingest.rows import RunFacts
        from progress_pipeline.ingest.vendor_api import load_batches
        from progress_pipeline.vendor.answers import Answers
        from progress_pipeline.vendor.asking import carry_out
        from progress_pipeline.vendor.client import VendorClient
        from progress_pipeline.vendor.ledger import CallLedger
        from progress_pipeline.vendor.pages import KeptPages
        from progress_pipeline.vendor.planning import KnownState, plan_daily
    from benchmarks.pull_server import BEGIN, DAYS

    now = BEGIN + timedelta(days=DAYS)
    clock = frozen_clock(now)
    run = RunFacts("benchmark", now, "daily", BEGIN, 120, 2, CALLS)
    with contextlib.ExitStack() as stack:
        ledger = stack.enter_context(CallLedger(folder / "calls.sqlite", daily_calls=CALLS, clock=clock))
        pages = KeptPages(folder / "pages")
        client = stack.enter_context(VendorClient(url, "token-of-none", ledger, clock=clock, pages=pages))
        loader = stack.enter_context(Loader(folder / "progress.duckdb", run))
        answers = Answers.load(ledger)
        asks = plan_daily(
            KnownState(),
            start_at=BEGIN,
            now=now,
            lookback=timedelta(days=2),
            page_size=page_size,
            answers=answers,
            newest_first=False,
        )
        work = carry_out(client, asks, answers=answers, page_size=page_size)
        report = load_batches(loader, work, calls_since=ledger.calls_since, start_at=BEGIN)
        return {
            "calls": work.outcome.calls,
            "ended": work.outcome.how,
            "records": report.records,
            "new_versions": report.new_versions,
            "loads": report.loads,
            "covered": str(report.covered_until),
        }


def main() -> None:
    """Pull, and print what came."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--page", type=int, default=1000)
    asked = parser.parse_args()
    print(json.dumps(pull(asked.url, asked.folder, asked.page)))


if __name__ == "__main__":
    main()
