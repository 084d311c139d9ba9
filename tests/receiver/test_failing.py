"""When the disk fails, only 503; when it is mended, 200 again by itself; and nothing acknowledged is missing."""

import errno
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from progress_pipeline.landing import layout
from progress_pipeline.receiver import committing
from progress_pipeline.receiver.limits import Limits
from progress_pipeline.receiver.server import Receiver
from progress_pipeline.settings import Settings
from tests.receiver.command import ReceiverProcess
from tests.receiver.conftest import QUICK, TOKEN, TOKEN_NAME, delivered_ids, open_segments
from tests.receiver.raw import Stopwatch


def deliver(client: httpx.Client, url: str, body: bytes = b"{}") -> httpx.Response:
    """Deliver with the token."""
    return client.post(url, content=body, headers={TOKEN_NAME: TOKEN})


def test_a_sync_that_fails_is_503_and_the_next_that_works_is_200(
    receiver: Receiver, client: httpx.Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what failed nothing is kept as if it had been acknowledged; of what did not, nothing is missing."""
    kept = [deliver(client, receiver.url).json()["delivery_id"]]

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "planted")

    with monkeypatch.context() as fault:
        fault.setattr(os, "fdatasync", fail)
        for _ in range(3):
            answer = deliver(client, receiver.url)
            assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
            assert answer.headers["retry-after"] == "1"
    kept.append(deliver(client, receiver.url).json()["delivery_id"])
    receiver.__exit__(None, None, None)
    assert delivered_ids(settings.landing_path) == kept
    assert open_segments(settings.landing_path) == []
    assert receiver.counts.refusals[503, committing.NOT_DURABLE] == 3


def test_a_folder_that_cannot_be_written_is_503_and_not_ready_until_it_can(
    receiver: Receiver, client: httpx.Client, settings: Settings
) -> None:
    """The process lives on, says that it is alive but not ready, and is back within a second of the fault's end."""
    folder = settings.landing_path / layout.OPEN_FOLDER
    folder.rmdir()
    folder.write_bytes(b"in the way")
    assert deliver(client, receiver.url).status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert client.get(receiver.url + "readyz").status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert client.get(receiver.url + "healthz").status_code == HTTPStatus.OK
    folder.unlink()
    watch = Stopwatch()
    assert deliver(client, receiver.url).status_code == HTTPStatus.OK
    assert client.get(receiver.url + "readyz").status_code == HTTPStatus.OK
    assert watch.seconds < 1


def test_ready_is_found_out_by_trying_when_nothing_was_delivered_for_a_while(
    receiver: Receiver, client: httpx.Client, settings: Settings
) -> None:
    """Before the first delivery too; and trying leaves nothing behind."""
    assert client.get(receiver.url + "readyz").status_code == HTTPStatus.OK
    assert open_segments(settings.landing_path) == []
    assert not list((settings.landing_path / layout.OPEN_FOLDER).iterdir())


def test_a_disk_that_does_not_answer_is_503_within_the_bound_and_200_when_it_does(
    start: Callable[..., Receiver], client: httpx.Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hanging sync must not hang every sender; who waited is told to come back, who comes then at once."""
    receiver = start(replace(QUICK, stall_seconds=0.3))
    hang = threading.Event()
    with monkeypatch.context() as fault:
        fault.setattr(os, "fdatasync", lambda _: hang.wait(10))
        watch = Stopwatch()
        assert deliver(client, receiver.url).status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert watch.seconds < 1
        watch = Stopwatch()
        assert deliver(client, receiver.url).status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert client.get(receiver.url + "readyz").status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert watch.seconds < 0.2
    hang.set()
    while receiver.commit.is_stalled and watch.seconds < 10:
        time.sleep(0.01)
    kept = deliver(client, receiver.url).json()["delivery_id"]
    receiver.__exit__(None, None, None)
    assert kept in delivered_ids(settings.landing_path)


def test_a_segment_that_cannot_be_sealed_now_is_sealed_later(
    start: Callable[..., Receiver], client: httpx.Client, settings: Settings
) -> None:
    """Its deliveries are durable where they are; sealing is tried until it works."""
    receiver = start(Limits(seal_bytes=1, keeper_seconds=0.05))
    today = settings.landing_path / f"dt={datetime.now(UTC):%Y-%m-%d}"
    today.write_bytes(b"in the way")
    kept = deliver(client, receiver.url).json()["delivery_id"]
    pause = threading.Event()
    pause.wait(0.3)
    assert len(open_segments(settings.landing_path)) == 1
    today.unlink()
    for _ in range(100):
        if not open_segments(settings.landing_path):
            break
        pause.wait(0.02)
    assert delivered_ids(settings.landing_path) == [kept]


def test_a_real_file_system_that_is_full_is_503_and_200_again(
    settings: Settings, client: httpx.Client, tmp_path: Path
) -> None:
    """By the process's own limit of file size: what does not fit is refused, what fits is kept, over many segments."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); "
    acknowledged = []
    statuses = set()
    with ReceiverProcess(settings, tmp_path / "log", before=limit) as receiver:
        for number in range(60):
            answer = deliver(client, receiver.url, b"x" * (30_000 if number % 7 == 3 else 2_000))
            statuses.add(answer.status_code)
            if answer.status_code == HTTPStatus.OK:
                acknowledged.append(answer.json()["delivery_id"])
        assert receiver.process.poll() is None
        receiver.process.terminate()
        assert receiver.process.wait(10) == 0
    assert statuses == {200, 503}
    assert len(acknowledged) > 40
    assert sorted(delivered_ids(settings.landing_path)) == sorted(acknowledged)


def test_deliveries_in_a_folder_that_is_moved_away_are_named_and_the_next_are_landed_in_the_new_one(
    start: Callable[..., Receiver], client: httpx.Client, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """Else they would be acknowledged and nobody would know that no loader ever looks there."""
    receiver = start(Limits(seal_seconds=60, keeper_seconds=0.05))
    deliver(client, receiver.url)
    settings.landing_path.rename(settings.landing_path.with_name("away"))
    assert deliver(client, receiver.url).status_code == HTTPStatus.SERVICE_UNAVAILABLE
    kept = deliver(client, receiver.url).json()["delivery_id"]
    receiver.__exit__(None, None, None)
    assert delivered_ids(settings.landing_path) == [kept]
    assert "is not where it was written" in caplog.text
