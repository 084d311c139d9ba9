"""SIGKILL under 32 writers, many times: nothing that was acknowledged is missing, and nothing is there twice.

.venv/bin/python -m benchmarks.receiver_kill --rounds 30
"""

import argparse
import random
import signal
import time

from benchmarks.receiver_rig import Told, make_rig, read_ids, run_writers

WRITERS = 32


def main() -> None:
    """Kill, start again, and at the end look for every acknowledged id."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    acknowledged: set[str] = set()
    with make_rig() as rig:
        for _ in range(rounds):
            with rig.receiver() as running:

                def kill(told: Told) -> None:
                    time.sleep(random.uniform(0.05, 1.5))  # noqa: S311 (any instant will do)
                    running.signal(signal.SIGKILL)
                    del told

                acknowledged |= run_writers(running, WRITERS, kill).acknowledged
        found = read_ids(rig.landing)
    print(f"kills {rounds}  acknowledged {len(acknowledged)}  found {len(found)}", end="  ")
    print(f"missing {len(acknowledged - set(found))}  twice {len(found) - len(set(found))}")
    assert acknowledged <= set(found)
    assert len(found) == len(set(found))


if __name__ == "__main__":
    main()
