"""Power cut: the landing folder stands on an ext4 image, which is copied in the middle of writing, mounted and read.

Every delivery that was acknowledged before the copy must be in it. The same with syncing switched off must lose some,
or the trial would show nothing. The receiver is stopped (SIGSTOP) for the time of the copy, so that the copy is of one
instant; nothing is synced for it. Needs root, for the mounts.

    sudo .venv/bin/python -m benchmarks.receiver_power_cut --rounds 10
"""

import argparse
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.receiver_bounds import Bounds, sync_seconds
from benchmarks.receiver_rig import NO_SYNC, Rig, Running, Told, make_rig, read_ids, run_writers

WRITERS = 16


@contextmanager
def mounted(image: Path, at: Path) -> Iterator[None]:
    """Mount an image while the context lasts."""
    at.mkdir(exist_ok=True)
    subprocess.run(["/bin/mount", "-o", "loop", image, at], check=True)
    try:
        yield
    finally:
        subprocess.run(["/bin/umount", at], check=True)


def cut_once(rig: Rig, *, is_syncing: bool) -> tuple[int, int, int]:
    """Cut the power once; give how many were acknowledged, found, and acknowledged but missing."""
    image, copy, at = rig.folder / "disk.img", rig.folder / "copy.img", rig.folder / "disk"
    with image.open("wb") as stream:
        stream.truncate(256 * 1024 * 1024)
    subprocess.run(["/sbin/mkfs.ext4", "-q", "-F", image], check=True)
    acknowledged: set[str] = set()
    with mounted(image, at):
        rig.landing = at / "landing"
        with rig.receiver(before="" if is_syncing else NO_SYNC) as running:

            def cut(told: Told) -> None:
                time.sleep(random.uniform(0.5, 6.0))  # noqa: S311 (any instant will do)
                acknowledged.update(stop_and_copy(running, told, image, copy))

            run_writers(running, WRITERS, cut)
    with mounted(copy, at):
        found = set(read_ids(at / "landing"))
    return len(acknowledged), len(found), len(acknowledged - found)


def stop_and_copy(running: Running, told: Told, image: Path, copy: Path) -> set[str]:
    """Hold the receiver, take what it has acknowledged by then, and copy the disk as it is."""
    running.signal(signal.SIGSTOP)
    time.sleep(0.05)
    acknowledged = set(told.acknowledged)
    shutil.copyfile(image, copy)
    running.signal(signal.SIGKILL)
    return acknowledged


def main() -> None:
    """Cut the power some times with syncing, and some times without."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    bounds = Bounds(f"power cut, {rounds} times with syncing and {rounds} without")
    print("syncing  round  acknowledged  found  missing")
    missing = {True: 0, False: 0}
    kept = 0
    for is_syncing in (True, False):
        for number in range(rounds):
            with make_rig() as rig:
                acknowledged, found, lost = cut_once(rig, is_syncing=is_syncing)
            missing[is_syncing] += lost
            kept += acknowledged if is_syncing else 0
            print(f"{'on' if is_syncing else 'off':7}  {number:5}  {acknowledged:12}  {found:5}  {lost:7}", flush=True)
    with make_rig() as rig:
        bounds.told("one fdatasync, ms", f"{sync_seconds(rig.landing) * 1e3:.2f}")
    bounds.at_least("with syncing: acknowledged before the cut", kept, rounds)
    bounds.none("with syncing: acknowledged but missing", missing[True])
    bounds.at_least("without syncing: acknowledged but missing, or the trial shows nothing", missing[False], 1)
    bounds.end()


if __name__ == "__main__":
    main()
