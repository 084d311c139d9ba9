"""A run that is told to stop: it says so, ends with the shell's own exit code, and loses nothing."""

import os
import signal
import time
from datetime import timedelta
from pathlib import Path

from tests.e2e.conftest import Serve
from tests.e2e.forking import Running, start, step
from tests.e2e.plain_vendor import Switches
from tests.e2e.playing import differences, environment


def wait_until(running: Running, said: str) -> None:
    """Wait until a command says something."""
    deadline = time.monotonic() + 30
    while said not in running.err.read_text(encoding="utf-8"):
        assert time.monotonic() < deadline, running.err.read_text(encoding="utf-8")
        time.sleep(0.005)


def test_a_stopped_run_says_so_and_the_next_goes_on(serve: Serve, data: Path) -> None:
    """Before the vendor is asked with SIGTERM, after it with SIGINT; in the end nothing is missing or twice."""
    vendor = serve(Switches(registrations=40, days=2))
    now = vendor.switches.start + timedelta(days=2)
    vendor.move_to(now)
    env = environment(data, vendor.url)
    for number, said in ((signal.SIGTERM, "asking the vendor"), (signal.SIGINT, "asked: ")):
        running = start("run", "--as-of", now.isoformat(), env=env)
        wait_until(running, said)
        assert running.process.pid is not None
        os.kill(running.process.pid, number)
        spoken = running.wait()
        assert spoken.exit_code == 128 + number, spoken
        assert f"Stopped by {number.name}" in spoken.err
        assert "Traceback" not in spoken.err
    assert step(now, env=env).exit_code == 0
    assert differences(data / "warehouse" / "progress.duckdb", vendor) == []
