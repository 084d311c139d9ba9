"""The ledger and the coverage after ten years of daily runs, with 1,000,000 open records: their size, and how quick.

.venv/bin/python -m benchmarks.asking_state

The ledger holds every call of ten years at a number a day; the coverage has a window for each day and for each window
that was asked again. Times are the least of five, in seconds of CPU.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from progress_pipeline.vendor.answers import Answers
from progress_pipeline.vendor.density import Density
from progress_pipeline.vendor.ledger import CallLedger, Finish, Purpose
from progress_pipeline.vendor.planning import KnownState, ProvenWindow, StartedDay, plan_daily
from progress_pipeline.vendor.staleness import staleness
from progress_pipeline.vendor.windows import Window

NOW = datetime(2036, 1, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)
DAYS = 3652
OPEN = 1_000_000
TRIES = 5
REQUEST = '{"completed": false, "endDate": "2026-01-01T00:00:00.000Z", "number": 1000, "start": 0, "startDate": "2025"}'


def _fill(path: Path, a_day: int) -> None:
    """Write ten years of calls, as runs would have left them."""
    with CallLedger(path, daily_calls=500) as ledger, ledger.transaction() as connection:
        for day in range(DAYS):
            at = NOW - (DAYS - day) * DAY
            us = [int((at + number * timedelta(seconds=2)).timestamp() * 1e6) for number in range(a_day)]
            connection.executemany(
                "insert into calls (purpose, window_start, window_end, request, counted_at, real_at, held_until, "
                "finished_at, outcome, http_status, row_count, vendor_count, byte_count, sha256, duration_seconds) "
                "values ('daily', ?1, ?1, ?2, ?1, ?1, ?1, ?1, 'answered', 200, 900, 900, 300000, ?3, 0.4)",
                [(each, REQUEST, "0" * 64) for each in us],
            )


def _state(again: int) -> KnownState:
    """Make the coverage: each day once, and some windows of the past again each day."""
    chance = random.Random(1)  # noqa: S311 - a made-up past
    proven = []
    for day in range(DAYS):
        at = NOW - (DAYS - day - 1) * DAY
        proven.append(ProvenWindow(Window(at - DAY, at), at, 800, "daily"))
        for _ in range(again):
            end = at - chance.randrange(1, day + 2) * DAY
            proven.append(ProvenWindow(Window(end - DAY, end), at, 800, "recheck"))
    share = OPEN // DAYS
    started = tuple(StartedDay((NOW - ago * DAY).date(), share, 2 * share) for ago in range(1, DAYS))
    return KnownState(tuple(proven), started_days=started)


def _least(work: Callable[[], object]) -> float:
    times = []
    for _ in range(TRIES):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return min(times)


def _call(ledger: CallLedger) -> None:
    ledger.finish(ledger.reserve(Purpose.DAILY, None, {}), Finish("answered"))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls-a-day", type=int, default=100)
    parser.add_argument("--again-a-day", type=int, default=10)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "calls.sqlite"
        _fill(path, asked.calls_a_day)
        print(f"ledger of {DAYS * asked.calls_a_day} calls: {path.stat().st_size / 1e6:.1f} MB")

        def _open() -> CallLedger:
            return CallLedger(path, daily_calls=500, clock=lambda: NOW)

        with _open() as ledger:
            lines: list[tuple[str, Callable[[], object]]] = [
                ("open the ledger", lambda: _open().close()),
                ("count a call and write its end", lambda: _call(ledger)),
                ("forget calls older than 400 days", lambda: ledger.forget(NOW - 400 * DAY)),
                ("say what is left", lambda: ledger.left(Purpose.RECHECK)),
                ("give the calls since the last load", lambda: ledger.calls_since(ledger.last_call_id() - 100)),
            ]
            state, answers = _state(asked.again_a_day), Answers.load(ledger)
            print(f"coverage of {len(state.proven)} windows; {OPEN} open records on {len(state.started_days)} days")
            lines += [
                ("density of all windows", lambda: Density(state.proven)),
                ("plan a day, density included", lambda: _plan(state, answers)),
                ("compute the bound", lambda: staleness(state, answers, now=NOW, daily_calls=500, page_size=1000)),
            ]
            for name, work in lines:
                print(f"{name:<40} {_least(work):8.4f} s")
            kept = ledger.last_call_id() - ledger.calls_since(0)[0].call_id + 1
        print(f"calls kept after that: {kept}")


def _plan(state: KnownState, answers: Answers) -> None:
    fresh = KnownState(state.proven, started_days=state.started_days)
    plan_daily(fresh, start_at=NOW - DAYS * DAY, now=NOW, lookback=2 * DAY, page_size=1000, answers=answers)


if __name__ == "__main__":
    main()
