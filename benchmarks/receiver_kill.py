"""SIGKILL, and then SIGTERM, under 32 writers, many times: nothing acknowledged is missing, and nothing is there twice.

After SIGTERM nothing is left open either, and the end comes within seconds.

    .venv/bin/python -m benchmarks.receiver_kill --rounds 30
"""

import argparse
import random
import signal
import time

from benchmarks.receiver_bounds import Bounds, sync_seconds
from benchmarks.receiver_rig import Rig, Told, make_rig, read_ids, run_writers
from progress_pipeline.landing import layout

WRITERS = 32
ENDING_SECONDS = 5.0


def end_once(rig: Rig, number: signal.Signals) -> tuple[set[str], float, int]:
    """End one receiver under load by a signal; give what was acknowledged, the seconds it took, and its exit code."""
    with rig.receiver() as running:
        seconds: list[float] = []

        def end(_: Told) -> None:
            time.sleep(random.uniform(0.05, 1.5))  # noqa: S311 (any instant will do)
            start = time.monotonic()
            running.signal(number)
            running.process.wait(30)
            seconds.append(time.monotonic() - start)

        told = run_writers(running, WRITERS, end)
        return told.acknowledged, seconds[0], int(running.process.returncode)


def main() -> None:
    """End, start again, and at the end look for every acknowledged id."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    bounds = Bounds(f"{rounds} kills and {rounds // 3} ends under {WRITERS} writers")
    with make_rig() as rig:
        bounds.told("one fdatasync, ms", f"{sync_seconds(rig.landing) * 1e3:.2f}")
        acknowledged: set[str] = set()
        for _ in range(rounds):
            acknowledged |= end_once(rig, signal.SIGKILL)[0]
        found = read_ids(rig.landing)
        bounds.at_least("SIGKILL: acknowledged", len(acknowledged), rounds)
        bounds.none("SIGKILL: acknowledged but missing", len(acknowledged - set(found)))
        bounds.none("SIGKILL: there twice", len(found) - len(set(found)))
        longest, failures, left_open = 0.0, 0, 0
        for _ in range(rounds // 3):
            some, seconds, ending = end_once(rig, signal.SIGTERM)
            acknowledged |= some
            longest = max(longest, seconds)
            failures += ending != 0
            left_open += sum(1 for path in (rig.landing / layout.OPEN_FOLDER).iterdir() if layout.kind_of(path.name))
        found = read_ids(rig.landing, is_recovering=False)
    bounds.none("SIGTERM: acknowledged but missing", len(acknowledged - set(found)))
    bounds.none("SIGTERM: segments left open", left_open)
    bounds.none("SIGTERM: ended other than with 0", failures)
    bounds.at_most("SIGTERM: longest end", longest, ENDING_SECONDS, " s")
    bounds.end()


if __name__ == "__main__":
    main()
