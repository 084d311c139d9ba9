"""Precision and recall of named gaps: faults planted on the sandbox, each alone and all together, over many seeds.

.venv/bin/python -m benchmarks.audit_planted_faults --seeds 50

A gap counts as right if who owes it, its transaction, its status and its cause are as planted. Odd seeds play a vendor
with a transaction per update, even ones a vendor that updates one in place.
"""

import argparse
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from tests.models.plain_loading import PlainLoader
from tests.models.planted import Play, Verdict
from tests.models.planting import ALL, FAULTS


def main() -> None:
    """Play them all, and print a table and what was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--only", choices=(*FAULTS, ALL), help="this fault alone")
    parser.add_argument("--registrations", type=int, default=250, help="250 push some 400 updates, 7,000 some 10,000")
    asked = parser.parse_args()
    faults = [asked.only] if asked.only else [*FAULTS, ALL]
    seeds = range(asked.first, asked.first + asked.seeds)
    jobs = [(seed, fault, asked.registrations) for seed in seeds for fault in faults]
    verdicts: dict[str, list[Verdict]] = defaultdict(list)
    with ProcessPoolExecutor(asked.workers, mp_context=get_context("spawn")) as pool:
        for (seed, fault, _), verdict in zip(jobs, pool.map(play, jobs), strict=True):
            verdicts[fault].append(verdict)
            for line in verdict.wrong:
                print(f"seed {seed}, {fault}: {line}", flush=True)
            if fault == faults[-1]:
                print(f"seed {seed} done", file=sys.stderr, flush=True)
    print(*table(verdicts), sep="\n")
    assert not any(verdict.wrong for each in verdicts.values() for verdict in each)


def play(job: tuple[int, str, int]) -> Verdict:
    """Play one seed with one fault, or all, in a world of so many registrations."""
    seed, fault, registrations = job
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        told = Play(seed, "per_update" if seed % 2 else "in_place", Path(folder), registrations, loader=PlainLoader)
        return told.judge(*(FAULTS if fault == ALL else [fault]))


def table(verdicts: dict[str, list[Verdict]]) -> Iterator[str]:
    """Write the table, as it stands in docs/verdicts.md."""
    yield "| fault | worlds | planted | named | right | precision | recall |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for fault, each in verdicts.items():
        planted, named = sum(len(one.planted) for one in each), sum(len(one.named) for one in each)
        right = sum(one.right for one in each)
        shares = (f"{right / of:.3f}" if of else "" for of in (named, planted))
        yield f"| {fault} | {len(each)} | {planted} | {named} | {right} | {' | '.join(shares)} |"


if __name__ == "__main__":
    main()
