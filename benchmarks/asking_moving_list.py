"""Rows lost of a list that moves at every call: ours, beside a plain offset loop on the same lists.

.venv/bin/python -m benchmarks.asking_moving_list --seeds 200

Before each answer rows appear among the older ones, learners get another last name, and rows of equal names stand in
another order. A row is lost if the vendor listed it before the first call and it did not come by the end. Each seed is
asked by both, each on a fresh sandbox; half of the vendors sort by transactionId, half by names alone, and half of each
have no `count`.
"""

import argparse
import json
import tempfile
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import stamina

from progress_pipeline.sandbox.config import SandboxConfig
from progress_pipeline.sandbox.server import API_PATH, Sandbox
from tests.vendor.playing import Play

PAGE = 20
DAYS = 20
KINDS: dict[str, dict[str, Any]] = {
    "by transactionId, count": {},
    "by transactionId, no count": {"count": "missing"},
    "names alone, count": {"sort_transaction_id": "ignored"},
    "names alone, no count": {"sort_transaction_id": "ignored", "count": "missing"},
}
NAMES_ALONE = frozenset({"lastName"})


@dataclass
class Sum:
    """What came of the seeds of one kind.

    Attributes:
        runs: Seeds.
        listed: Rows listed before the first call, in all.
        calls: Calls of ours and of the loop.
        lost: Rows lost by ours and by the loop.
        hit: Runs in which ours and the loop lost any.
        unproven: Runs in which ours did not prove all on the first day.
        wrong: Claims of ours that were false.
    """

    runs: int = 0
    listed: int = 0
    calls: list[int] = field(default_factory=lambda: [0, 0])
    lost: list[int] = field(default_factory=lambda: [0, 0])
    hit: list[int] = field(default_factory=lambda: [0, 0])
    unproven: int = 0
    wrong: int = 0

    def add(self, who: int, listed: set[str], came: set[str], calls: int) -> None:
        """Add what came of a run."""
        lost = len(listed - came)
        self.calls[who] += calls
        self.lost[who] += lost
        self.hit[who] += bool(lost)


def _switches(seed: int, kind: dict[str, Any]) -> dict[str, Any]:
    moving = {"inserts_per_call": 1, "renames_per_call": 1, "ties": "shuffled"}
    return {"seed": seed, "registrations": 60, "days": DAYS, "daily_calls": 10**6} | moving | kind


def _ours(seed: int, kind: dict[str, Any], total: Sum) -> None:
    with tempfile.TemporaryDirectory() as folder:
        sorts = NAMES_ALONE if "sort_transaction_id" in kind else None
        play = Play(Path(folder), page_size=PAGE, ledger_calls=5000, sorts=sorts, **_switches(seed, kind))
        play.sandbox.clock.move(timedelta(days=DAYS + 1))
        listed = {str(one) for one in play.sandbox.truth.listed_transactions()}
        day = play.run()
        total.add(0, listed, set(play.rows), len(day.calls))
        total.runs, total.listed = total.runs + 1, total.listed + len(listed)
        total.unproven += any(not one.is_complete for one in day.attempts)
        total.wrong += len(play.wrong_claims)


def _loop(seed: int, kind: dict[str, Any], total: Sum) -> None:
    """Ask page after page until one is short, as most clients do."""
    sandbox = Sandbox(SandboxConfig(**_switches(seed, kind)))
    sandbox.clock.move(timedelta(days=DAYS + 1))
    listed = {str(one) for one in sandbox.truth.listed_transactions()}
    came: set[str] = set()
    start, size, calls = 0, PAGE, 0
    while size == PAGE:
        asked = {"token": sandbox.token, "start": start, "number": PAGE, "sort": "lastName", "order": "ASC"}
        span = {"startDate": "2000-01-01T00:00:00Z", "endDate": "2030-01-01T00:00:00Z"}
        answer = json.loads(sandbox._answer("POST", API_PATH, json.dumps(asked | span).encode()).body)  # noqa: SLF001 - without a socket
        came |= {str(row["transactionId"]) for row in answer["rows"]}
        size, start, calls = len(answer["rows"]), start + PAGE, calls + 1
    total.add(1, listed, came, calls)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=200)
    asked = parser.parse_args()
    totals = {name: Sum() for name in KINDS}
    with stamina.set_testing(True, attempts=4, cap=True):
        for seed in range(asked.seeds):
            name = list(KINDS)[seed % len(KINDS)]
            _ours(seed, KINDS[name], totals[name])
            _loop(seed, KINDS[name], totals[name])
    head = ("vendor", "runs", "rows", "lost", "in runs", "calls", "unproven", "false", "loop lost", "in runs", "calls")
    print(f"{head[0]:<28}" + "".join(f"{each:>10}" for each in head[1:]))
    for name, one in totals.items():
        ours = (one.runs, one.listed, one.lost[0], one.hit[0], one.calls[0], one.unproven, one.wrong)
        print(f"{name:<28}" + "".join(f"{each:>10}" for each in (*ours, one.lost[1], one.hit[1], one.calls[1])))


if __name__ == "__main__":
    main()
