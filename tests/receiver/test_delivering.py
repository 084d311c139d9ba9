"""What is authenticated and complete is stored byte for byte and answered 200 when it is on disk, whatever is in it."""

import os
import threading
import time
from collections.abc import Callable
from http import HTTPStatus

import httpx
import pytest

from progress_pipeline.landing.envelopes import read_line
from progress_pipeline.landing.reading import LandedDelivery
from progress_pipeline.receiver.limits import Limits
from progress_pipeline.receiver.server import Receiver
from progress_pipeline.settings import Settings
from tests.receiver.conftest import TOKEN, TOKEN_NAME, landed, open_segments
from tests.receiver.hostile import HOSTILE


def post(client: httpx.Client, receiver: Receiver, body: bytes, **headers: str) -> httpx.Response:
    """Deliver a body, with the token in a header."""
    return client.post(receiver.url, content=body, headers={TOKEN_NAME: TOKEN, **headers})


def stored_bodies(settings: Settings) -> dict[str, bytes]:
    """Give every body that a loader would read, by its delivery's id."""
    return {each.delivery_id: each.body for each in landed(settings.landing_path) if isinstance(each, LandedDelivery)}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_every_body_is_stored_byte_for_byte(
    client: httpx.Client, shared: Receiver, shared_settings: Settings, body: bytes
) -> None:
    """It stands in the open segment, as its last line, at the moment of its answer."""
    answer = post(client, shared, body)
    assert answer.status_code == HTTPStatus.OK
    (segment,) = open_segments(shared_settings.landing_path)
    envelope, stored = read_line(segment.read_bytes().splitlines()[-1])
    assert stored == body
    assert envelope.delivery_id == answer.json()["delivery_id"]


def test_no_answer_comes_before_its_sync_and_one_sync_answers_a_group(
    start: Callable[..., Receiver], client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the disk is at work nobody is told anything; what came meanwhile is written at once."""
    receiver = start(Limits())
    real, let_go, answers = os.fdatasync, threading.Event(), list[int]()

    def wait_and_sync(descriptor: int) -> None:
        let_go.wait(10)
        real(descriptor)

    def deliver() -> None:
        answers.append(post(client, receiver, b"{}").status_code)

    threads = [threading.Thread(target=deliver) for _ in range(20)]
    with monkeypatch.context() as slow:
        slow.setattr(os, "fdatasync", wait_and_sync)
        for thread in threads:
            thread.start()
        watch = time.monotonic()
        while receiver.commit.depth < len(threads) and time.monotonic() - watch < 5:
            time.sleep(0.01)
        assert receiver.commit.depth == len(threads)
        assert answers == []
        let_go.set()
        for thread in threads:
            thread.join()
    assert answers == [HTTPStatus.OK] * len(threads)
    assert receiver.counts.commits < len(threads) / 2


def test_large_and_small_bodies_at_once_are_all_stored(
    start: Callable[..., Receiver], client: httpx.Client, settings: Settings
) -> None:
    """Up to the bound and not a byte beyond, in one piece or in chunks."""
    receiver = start(Limits(body_bytes=4_000_000))
    bodies = [bytes([number]) * (number * 300_000 + 1) for number in range(6)] + [b"x" * 4_000_000]
    answers: dict[str, bytes] = {}

    def deliver(body: bytes) -> None:
        answer = client.post(
            receiver.url,
            content=iter([body[: len(body) // 2], body[len(body) // 2 :]]),
            headers={TOKEN_NAME: TOKEN},
        )
        answers[answer.json()["delivery_id"]] = body

    threads = [threading.Thread(target=deliver, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    receiver.__exit__(None, None, None)
    assert stored_bodies(settings) == answers


def test_any_path_takes_deliveries(client: httpx.Client, shared: Receiver) -> None:
    """The vendor is given a URL, and a proxy may add to it."""
    answer = client.post(shared.url + "some/hook%20here", content=b"{}", params={TOKEN_NAME: TOKEN, "other": "1"})
    assert answer.status_code == HTTPStatus.OK


def test_each_delivery_has_an_id_of_its_own_and_equal_bodies_are_two(
    client: httpx.Client, receiver: Receiver, settings: Settings
) -> None:
    """The receiver drops nothing that it takes for a repetition."""
    ids = {post(client, receiver, b"{}").json()["delivery_id"] for _ in range(20)}
    receiver.__exit__(None, None, None)
    assert stored_bodies(settings) == dict.fromkeys(ids, b"{}")


def test_the_content_type_is_kept(client: httpx.Client, receiver: Receiver, settings: Settings) -> None:
    """As it was sent, were it nonsense; but not without end."""
    post(client, receiver, b"{}", **{"content-type": "application/json; charset=x"})
    post(client, receiver, b"{}", **{"content-type": "x" * 5_000})
    receiver.__exit__(None, None, None)
    kept = [each.content_type for each in landed(settings.landing_path) if isinstance(each, LandedDelivery)]
    assert kept == ["application/json; charset=x", "x" * 200]


def test_a_segment_is_sealed_at_its_age_without_further_deliveries(
    client: httpx.Client, receiver: Receiver, settings: Settings
) -> None:
    """The last delivery of a day is not left lying about."""
    post(client, receiver, b"{}")
    deadline = threading.Event()
    for _ in range(100):
        if stored_bodies(settings):
            break
        deadline.wait(0.05)
    assert len(stored_bodies(settings)) == 1
    assert open_segments(settings.landing_path) == []


def test_a_segment_is_sealed_at_its_size(
    start: Callable[..., Receiver], client: httpx.Client, settings: Settings
) -> None:
    """However fast deliveries come."""
    receiver = start(Limits(seal_bytes=2_000))
    for _ in range(10):
        post(client, receiver, b"x" * 1_000)
    receiver.__exit__(None, None, None)
    sealed = list(settings.landing_path.glob("dt=*/hh=*/*.ndjson"))
    assert len(sealed) == 5


def test_what_a_crash_left_open_is_recovered_at_the_next_start(
    start: Callable[..., Receiver], client: httpx.Client, settings: Settings
) -> None:
    """Its whole lines are sealed before the first new delivery."""
    receiver = start(Limits())
    post(client, receiver, b"before the crash")
    (segment,) = open_segments(settings.landing_path)
    left = segment.read_bytes()
    receiver.__exit__(None, None, None)
    for path in settings.landing_path.glob("dt=*/hh=*/*.ndjson"):
        path.unlink()
    segment.write_bytes(left + left[:50])
    start()
    assert list(stored_bodies(settings).values()) == [b"before the crash"]


def test_two_receivers_share_a_landing_folder(
    start: Callable[..., Receiver], client: httpx.Client, settings: Settings
) -> None:
    """So a new one can be started before the old one ends: neither takes the other's open segment for a crash's."""
    first = start(Limits())
    post(client, first, b"1")
    second = start(Limits())
    post(client, second, b"2")
    post(client, first, b"3")
    for receiver in (first, second):
        receiver.__exit__(None, None, None)
    assert sorted(stored_bodies(settings).values()) == [b"1", b"2", b"3"]
