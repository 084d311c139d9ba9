"""The sandbox in the foreground, as the command runs it."""

import subprocess
import sys
import threading
from datetime import datetime, timedelta

import httpx
import pytest

from progress_pipeline.errors import UsageError
from progress_pipeline.sandbox.config import SandboxConfig
from progress_pipeline.sandbox.server import serve
from progress_pipeline.sandbox.switches import read_assignments

SERVE = """
from progress_pipeline.sandbox.config import SandboxConfig
from progress_pipeline.sandbox.server import serve
serve(SandboxConfig(registrations=5, clock_speed=86400.0))
"""


def test_it_says_its_addresses_and_runs_its_clock_until_it_is_stopped() -> None:
    """A client in another process can ask it with what stands on stdout."""
    with subprocess.Popen([sys.executable, "-c", SERVE], stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        assert process.stdout is not None
        said = dict(process.stdout.readline().split(None, 1) for _ in range(5))
        said = {name: text.strip() for name, text in said.items()}
        assert httpx.post(said["API"], json={"token": said["token"]}).status_code == 200
        begun = datetime.fromisoformat(said["clock"])
        control = said["control"].split()[0]
        while datetime.fromisoformat(httpx.get(f"{control}/clock").json()["clock"]) < begun + timedelta(hours=1):
            assert process.poll() is None
        process.terminate()
        assert process.wait(timeout=5) == 0


def test_it_can_be_stopped_from_another_thread(capsys: pytest.CaptureFixture[str]) -> None:
    """For a caller that is not a terminal."""
    stop = threading.Event()
    stop.set()
    serve(SandboxConfig(registrations=1), stop)
    assert "api/reports/progress" in capsys.readouterr().out


def test_switches_are_read_from_text() -> None:
    """JSON where it is JSON, bare text otherwise."""
    read = read_assignments(["page_cap=100", "ties=shuffled", 'shares={"push_lost":0.01}', "push_late_by=60"])
    assert read == {
        "page_cap": 100,
        "ties": "shuffled",
        "shares": {"push_lost": 0.01},
        "push_late_by": timedelta(minutes=1),
    }
    for text in ("page_cap", "page_cap=many", "colour=red"):
        with pytest.raises(UsageError):
            read_assignments([text])
