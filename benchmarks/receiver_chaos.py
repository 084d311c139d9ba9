"""Receiver and loader killed at random while deliveries come in: every acknowledged one is in the warehouse, once.

Writers deliver over connections that break and are made anew; the receiver is killed (SIGKILL) and started again; the
loader is started again and again, and killed in the middle more often than not. At the end the loader runs once in
peace. A delivery whose answer was lost in a kill may be there too: it was stored, but nobody was told.

    .venv/bin/python -m benchmarks.receiver_chaos --seconds 120
"""

import argparse
import asyncio
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import uvloop

from benchmarks.receiver_bounds import Bounds
from benchmarks.receiver_loading import LOADER
from benchmarks.receiver_rig import Rig, Told, make_rig, read_ids, write
from progress_pipeline.landing import layout

WRITERS = 16


def load(rig: Rig, warehouse: Path, patience: float | None) -> bool:
    """Run the loader, and kill it when patience ends; True if it ended by itself."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"{LOADER}work()", str(warehouse), str(rig.landing)], cwd=rig.folder
    )
    try:
        assert process.wait(patience) == 0
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
    return True


class Chaos:
    """Kills the receiver and the loader until told to stop."""

    def __init__(self, rig: Rig, warehouse: Path, port: int) -> None:
        self.rig = rig
        self.warehouse = warehouse
        self.port = port
        self.stop = threading.Event()
        self.receiver_kills = self.loads = self.loader_kills = 0

    def kill_receivers(self) -> None:
        """Run one receiver after the other."""
        while not self.stop.is_set():
            with self.rig.receiver(PROGRESS_WEBHOOK_PORT=str(self.port)) as running:
                self.stop.wait(random.uniform(0.5, 8))  # noqa: S311 (any instant will do)
                running.signal(signal.SIGTERM if self.stop.is_set() else signal.SIGKILL)
                running.process.wait(10)
            self.receiver_kills += not self.stop.is_set()

    def kill_loaders(self) -> None:
        """Run one loader after the other; the first in peace, to learn how long one takes."""
        start = time.monotonic()
        load(self.rig, self.warehouse, None)
        usual = time.monotonic() - start
        while not self.stop.is_set():
            patience = random.uniform(0.2, 3.0) * usual  # noqa: S311 (any instant will do)
            if load(self.rig, self.warehouse, patience):
                self.loads += 1
            else:
                self.loader_kills += 1


async def deliver(told: Told, chaos: Chaos, seconds: float) -> None:
    """Let writers deliver for a while, at a pace."""
    stop = asyncio.Event()

    def body(number: int) -> bytes:
        return b'{"started": [{"transactionId": %d, "progress": 0}]}' % number

    writers = [
        asyncio.create_task(write(told, chaos.port, chaos.rig.trust, stop, body, pause=0.05)) for _ in range(WRITERS)
    ]
    await asyncio.sleep(seconds)
    stop.set()
    await asyncio.gather(*writers)


def wait_for_recovery(rig: Rig) -> None:
    """Wait until a receiver that has just started has sealed what the one before it left open."""
    folder = rig.landing / layout.OPEN_FOLDER
    end = time.monotonic() + 20
    while any(layout.kind_of(path.name) for path in folder.iterdir()) and time.monotonic() < end:
        time.sleep(0.05)


def main() -> None:
    """Let chaos reign, then count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120)
    seconds = parser.parse_args().seconds
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    told = Told()
    with make_rig() as rig:
        warehouse = rig.folder / "warehouse" / "progress.duckdb"
        chaos = Chaos(rig, warehouse, port)
        threads = [threading.Thread(target=part) for part in (chaos.kill_receivers, chaos.kill_loaders)]
        for thread in threads:
            thread.start()
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(deliver(told, chaos, seconds))
        finally:
            chaos.stop.set()
            for thread in threads:
                thread.join()
        with rig.receiver() as running:
            wait_for_recovery(rig)
            running.process.terminate()
            running.process.wait(10)
        landed = set(read_ids(rig.landing, is_recovering=False))
        assert load(rig, warehouse, None)
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            rows = [row[0] for row in connection.execute("select delivery_id from raw.webhook_deliveries").fetchall()]
            ((update_count,),) = connection.execute("select count(*) from raw.webhook_updates").fetchall()
    distinct = set(rows)
    bounds = Bounds(f"chaos, {seconds:.0f} s, {WRITERS} writers")
    bounds.told("receiver killed, times", chaos.receiver_kills)
    bounds.told("loader killed, and ended by itself, times", f"{chaos.loader_kills} and {chaos.loads}")
    bounds.at_least("acknowledged", len(told.acknowledged), 1)
    bounds.none("acknowledged but not landed", len(told.acknowledged - landed))
    bounds.none("acknowledged but not in the warehouse", len(told.acknowledged - distinct))
    bounds.none("in the warehouse more than once", len(rows) - len(distinct))
    bounds.none("updates too many or too few", abs(update_count - len(rows)))
    bounds.at_most(
        "stored, their answers lost with a connection", len(distinct - told.acknowledged), max(1, told.broken_off)
    )
    bounds.end()


if __name__ == "__main__":
    main()
