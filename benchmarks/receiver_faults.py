"""A disk that fails under load: only 200 and 503, the process alive, back by itself, and nothing acknowledged missing.

Four faults, each under 16 writers: fdatasync that returns an error (a shim in front of libc, LD_PRELOAD), a full disk
(an ext4 image with ballast), a folder without write permission (the receiver runs without the right to override it),
and a mount that is turned read-only. For each: the answers before, during and after; how long after the fault's end the
first 200 came; and what is missing. Needs root and a C compiler.

    sudo .venv/bin/python -m benchmarks.receiver_faults
"""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from benchmarks.receiver_bounds import Bounds, sync_seconds
from benchmarks.receiver_power_cut import mounted
from benchmarks.receiver_rig import Rig, Told, make_rig, read_ids, run_writers
from progress_pipeline.landing.writing import SEAL_SECONDS

WRITERS = 16
FAULT_SECONDS = 6.0
HUMBLE = ("/usr/bin/setpriv", "--bounding-set", "-dac_override,-dac_read_search")
"""Takes from root the right to write where the mode forbids it."""

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
int fdatasync(int fd) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
    if (access(getenv("FAULT_FLAG"), F_OK) == 0) { errno = EIO; return -1; }
    return real(fd);
}
"""


@dataclass(frozen=True)
class Fault:
    """A fault: what the receiver is run with, how the fault begins, and how it ends."""

    begin: Callable[[], object]
    end: Callable[[], object]
    environment: dict[str, str] = field(default_factory=dict)
    wrapper: tuple[str, ...] = ()
    grip_seconds: float = 0.2
    """After so long it is felt."""


@contextmanager
def failing_sync(rig: Rig) -> Iterator[Fault]:
    """Give a shim that fails every fdatasync while a flag is there."""
    source, library, flag = rig.folder / "shim.c", rig.folder / "shim.so", rig.folder / "flag"
    source.write_text(SHIM)
    subprocess.run(["/usr/bin/cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    yield Fault(flag.touch, flag.unlink, {"LD_PRELOAD": str(library), "FAULT_FLAG": str(flag)})


@contextmanager
def full_disk(rig: Rig) -> Iterator[Fault]:
    """Give a disk that is full while there is ballast on it."""
    image, at = rig.folder / "disk.img", rig.folder / "disk"
    with image.open("wb") as stream:
        stream.truncate(128 * 1024 * 1024)
    subprocess.run(["/sbin/mkfs.ext4", "-q", "-F", image], check=True)
    with mounted(image, at):
        rig.landing = at / "landing"
        ballast = at / "ballast"

        def fill() -> None:
            with ballast.open("wb") as stream:
                try:
                    while True:
                        os.write(stream.fileno(), bytes(1024 * 1024))
                except OSError:
                    pass

        yield Fault(fill, ballast.unlink)


@contextmanager
def closed_folder(rig: Rig) -> Iterator[Fault]:
    """Give a folder that its owner may not write while it is closed."""
    opened = rig.landing / ".open"
    opened.mkdir(mode=0o750, parents=True)

    def turn(mode: int) -> None:
        opened.chmod(mode)
        rig.landing.chmod(mode)

    # Until it is sealed, the open segment takes deliveries, and durably; only a new one cannot be made.
    yield Fault(lambda: turn(0o550), lambda: turn(0o750), wrapper=HUMBLE, grip_seconds=SEAL_SECONDS + 1.0)


@contextmanager
def read_only_mount(rig: Rig) -> Iterator[Fault]:
    """Give a mount that is turned read-only, as soon as no segment is open on it."""
    at = rig.folder / "bound"
    at.mkdir()
    subprocess.run(["/bin/mount", "--bind", at, at], check=True)
    rig.landing = at / "landing"

    def turn(mode: str) -> None:
        while subprocess.run(
            ["/bin/mount", "-o", f"remount,bind,{mode}", at], capture_output=True, check=False
        ).returncode:
            time.sleep(0.001)

    try:
        yield Fault(lambda: turn("ro"), lambda: turn("rw"))
    finally:
        subprocess.run(["/bin/umount", at], check=True)


def count(told: Told) -> dict[int, int]:
    """Give how often each status was answered until now."""
    return dict(told.statuses)


def since(told: Told, before: dict[int, int]) -> dict[int, int]:
    """Give how often each status was answered since then."""
    return {status: now - before.get(status, 0) for status, now in told.statuses.items() if now > before.get(status, 0)}


def try_fault(bounds: Bounds, name: str, make: Callable[[Rig], AbstractContextManager[Fault]], rig: Rig) -> None:
    """Plant one fault under load, end it, and hold what was seen against the bounds."""
    with make(rig) as fault, rig.receiver(wrapper=fault.wrapper, **fault.environment) as running:
        seen: list[dict[int, int]] = []
        recovery: list[float] = []

        def act(told: Told) -> None:
            time.sleep(1.0)
            good = count(told)
            fault.begin()
            time.sleep(fault.grip_seconds)
            at_fault = count(told)
            time.sleep(FAULT_SECONDS)
            during = since(told, at_fault)
            fault.end()
            ended_at, at_end = time.monotonic(), told.statuses.get(200, 0)
            while told.statuses.get(200, 0) == at_end and time.monotonic() - ended_at < 10:
                time.sleep(0.001)
            recovery.append(time.monotonic() - ended_at)
            at_recovery = count(told)
            time.sleep(1.0)
            seen.extend((good, during, since(told, at_recovery)))

        told = run_writers(running, WRITERS, act, lambda number: b"x" * 2_000 + b"%d" % number)
        is_alive = running.process.poll() is None
        running.process.terminate()
        ending = running.process.wait(10)
        found = read_ids(rig.landing, is_recovering=False)
        good, during, after = seen
        print(f"{name:16}  before {good}  during {during}  then {after}  exit {ending}", flush=True)
        bounds.holds(f"{name}: only 503 while it lasts", set(during) == {503}, during)
        bounds.none(
            f"{name}: answers other than 200 and 503",
            sum(told.statuses.values()) - sum(told.statuses.get(status, 0) for status in (200, 503)),
        )
        bounds.holds(f"{name}: the process lives, and ends well", is_alive and ending == 0)
        bounds.at_most(f"{name}: back to 200 after its end", recovery[0], 1.0, " s")
        bounds.none(f"{name}: acknowledged but missing", len(told.acknowledged - set(found)))


def main() -> None:
    """Try each fault."""
    bounds = Bounds(f"a failing disk under {WRITERS} writers, {FAULT_SECONDS:.0f} s each")
    for name, make in (
        ("failing sync", failing_sync),
        ("full disk", full_disk),
        ("closed folder", closed_folder),
        ("read-only mount", read_only_mount),
    ):
        with make_rig() as rig:
            bounds.told(f"{name}: one fdatasync of the disk, ms", f"{sync_seconds(rig.folder) * 1e3:.2f}")
            try_fault(bounds, name, make, rig)
    bounds.end()


if __name__ == "__main__":
    main()
