"""However the receiver ends, nothing that it acknowledged is missing."""

import signal
from pathlib import Path

import pytest

from progress_pipeline.clock import system_clock
from progress_pipeline.landing import recovery
from progress_pipeline.settings import Settings
from tests.receiver.command import ReceiverProcess, Writers
from tests.receiver.conftest import Authority, delivered_ids, open_segments
from tests.receiver.raw import Stopwatch


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Give the file that the process logs to."""
    return tmp_path / "log"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_under_load_it_drains_seals_and_ends_within_seconds(
    settings: Settings, authority: Authority, log: Path, number: signal.Signals
) -> None:
    """Nothing acknowledged is missing, nothing is left open, and it ends as a success."""
    with ReceiverProcess(settings, log) as receiver, Writers(8, authority, receiver.url) as writers:
        writers.wait_for(100)
        watch = Stopwatch()
        receiver.process.send_signal(number)
        assert receiver.process.wait(10) == 0
        assert watch.seconds < 5
    assert writers.acknowledged <= set(delivered_ids(settings.landing_path))
    assert open_segments(settings.landing_path) == []
    assert "ended in good order" in log.read_text()


def test_killed_under_load_again_and_again_it_loses_nothing_that_it_acknowledged(
    settings: Settings, authority: Authority, log: Path
) -> None:
    """SIGKILL leaves no time for anything; the next start recovers."""
    acknowledged: set[str] = set()
    for round_number in range(1, 4):
        with ReceiverProcess(settings, log) as receiver, Writers(8, authority, receiver.url) as writers:
            writers.wait_for(30 * round_number)
            receiver.process.kill()
        acknowledged |= writers.acknowledged
    recovery.recover(settings.landing_path, clock=system_clock)
    found = delivered_ids(settings.landing_path)
    assert acknowledged <= set(found)
    assert len(found) == len(set(found))
    assert open_segments(settings.landing_path) == []
