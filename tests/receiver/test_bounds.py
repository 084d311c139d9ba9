"""Who sends too much, too slowly, half of it or something else is told so, and nobody else waits for it."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from http import HTTPStatus

import httpx
import pytest

from progress_pipeline.landing.reading import LandedRefusal
from progress_pipeline.receiver import committing, refusals
from progress_pipeline.receiver.limits import Limits
from progress_pipeline.receiver.server import Receiver
from progress_pipeline.settings import Settings
from tests.receiver.conftest import QUICK, TOKEN, TOKEN_NAME, Authority, Refused, landed
from tests.receiver.raw import RawConnection, Stopwatch, status_of

HEAD = f"POST /?{TOKEN_NAME}={TOKEN} HTTP/1.1\r\nhost: x\r\n".encode()
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"
GOOD = HEAD + b"content-length: 2\r\n\r\n{}"


def reasons(settings: Settings) -> list[tuple[int | None, str | None]]:
    """Give every refusal that the journal tells."""
    return [
        (each.http_status, each.reason) for each in landed(settings.landing_path) if isinstance(each, LandedRefusal)
    ]


@pytest.mark.parametrize(
    "case",
    [
        (HEAD.replace(b"POST", b"GET") + b"\r\n", 405, refusals.NOT_POST),
        (HEAD.replace(b"POST", b"PUT") + b"content-length: 2\r\n\r\n{}", 405, refusals.NOT_POST),
        (HEAD.replace(b"POST", b"OPTIONS") + b"\r\n", 405, refusals.NOT_POST),
        (HEAD + b"content-length: 16777217\r\n\r\n", 413, refusals.TOO_LARGE),
        (HEAD + b"content-length: 99999999999999999999\r\n\r\n", 400, refusals.NOT_HTTP),
        (HEAD + b"content-length: -1\r\n\r\n", 400, refusals.NOT_HTTP),
        (HEAD + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400, refusals.NOT_HTTP),
        (HEAD + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}", 400, refusals.NOT_HTTP),
        (HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n", 400, refusals.NOT_HTTP),
        (b"\x00\x01\x02\x03\r\n\r\n", 400, refusals.NOT_HTTP),
        (b"POST / HTTP/9.9\r\n\r\n", 400, refusals.NOT_HTTP),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, refusals.NOT_HTTP),
        (HEAD + b"x: " + b"y" * 40_000, 431, refusals.HEAD_TOO_LARGE),
        (HEAD + b"x: " + b"y" * 40_000 + b"\r\n\r\n", 431, refusals.HEAD_TOO_LARGE),
        (b"POST /?" + b"y" * 40_000, 431, refusals.HEAD_TOO_LARGE),
        (GOOD * 40, 400, refusals.TOO_MANY_AHEAD),
        (CHUNKED + b"1;" + b"x" * 4_500_000, 400, refusals.FRAMING_TOO_LARGE),
        (CHUNKED + b"1\r\n1\r\n0\r\nx: " + b"y" * 4_500_000, 400, refusals.FRAMING_TOO_LARGE),
    ],
)
def test_what_cannot_be_a_delivery_is_refused_with_its_status(
    shared: Receiver, authority: Authority, refusals_told: Callable[[], list[Refused]], case: tuple[bytes, int, str]
) -> None:
    """And the operator is told why."""
    sent, status, reason = case
    with RawConnection(shared.port, authority.trust) as connection:
        connection.send(sent)
        assert status_of(connection.receive_answer()) == status
    assert refusals_told() == [(status, reason)]


def test_a_body_that_grows_beyond_the_bound_in_chunks_is_413(
    start: Callable[..., Receiver], client: httpx.Client
) -> None:
    """Its length was never declared."""
    receiver = start(replace(QUICK, body_bytes=10_000))
    answer = client.post(receiver.url, content=iter([b"x" * 6_000] * 2), headers={TOKEN_NAME: TOKEN})
    assert answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def test_who_waits_for_a_word_before_the_body_is_refused_without_it(shared: Receiver, authority: Authority) -> None:
    """`Expect: 100-continue` with a wrong token: no 100, the 401, and the end, since the body might follow or not."""
    with RawConnection(shared.port, authority.trust) as connection:
        connection.send(b"POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n")
        answer = connection.receive()
    assert status_of(answer) == HTTPStatus.UNAUTHORIZED
    assert b"connection: close" in answer


def test_who_waits_for_a_word_before_the_body_gets_it(shared: Receiver, authority: Authority) -> None:
    """Curl does, for bodies beyond a megabyte."""
    with RawConnection(shared.port, authority.trust) as connection:
        connection.send(HEAD + b"expect: 100-continue\r\ncontent-length: 2\r\n\r\n")
        assert connection.socket.recv(100).startswith(b"HTTP/1.1 100")
        connection.send(b"{}")
        assert status_of(connection.receive_answer()) == HTTPStatus.OK


@pytest.mark.parametrize(
    "sent", [HEAD, HEAD + b"content-length: 5\r\n\r\n12", HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\n1"]
)
def test_a_request_that_is_cut_off_is_400_and_nothing_of_it_is_stored(
    start: Callable[..., Receiver], plain_settings: Settings, sent: bytes
) -> None:
    """Whether in its head, its body or a chunk; who still listens is told."""
    receiver = start(own_settings=plain_settings)
    with RawConnection(receiver.port) as connection:
        connection.send(sent)
        connection.socket.shutdown(1)
        assert status_of(connection.receive()) == HTTPStatus.BAD_REQUEST
    receiver.__exit__(None, None, None)
    assert reasons(plain_settings) == [(400, refusals.CUT_OFF)]


def test_a_sender_that_vanishes_in_its_body_is_journalled(
    shared: Receiver, authority: Authority, refusals_told: Callable[[], list[Refused]]
) -> None:
    """There is nobody to answer, but the operator learns of it."""
    with RawConnection(shared.port, authority.trust) as connection:
        connection.send(HEAD + b"content-length: 5\r\n\r\n12")
    assert refusals_told() == [(400, refusals.CUT_OFF)]


def test_a_sender_that_says_it_has_said_all_is_answered(
    start: Callable[..., Receiver], plain_settings: Settings
) -> None:
    """Closing one's own half after a whole request is good form."""
    receiver = start(own_settings=plain_settings)
    with RawConnection(receiver.port) as connection:
        connection.send(GOOD)
        connection.socket.shutdown(1)
        assert status_of(connection.receive()) == HTTPStatus.OK


@pytest.mark.parametrize(
    "case",
    [
        (HEAD, refusals.HEAD_TOO_SLOW, QUICK.head_seconds),
        (HEAD + b"content-length: 5\r\n\r\n1", refusals.BODY_TOO_SLOW, QUICK.request_seconds),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\n", refusals.BODY_TOO_SLOW, QUICK.request_seconds),
    ],
)
def test_who_is_too_slow_is_408(
    shared: Receiver, authority: Authority, refusals_told: Callable[[], list[Refused]], case: tuple[bytes, str, float]
) -> None:
    """The head has its time, and head and body together theirs."""
    sent, reason, seconds = case
    with RawConnection(shared.port, authority.trust) as connection:
        connection.send(sent)
        watch = Stopwatch()
        answer = connection.receive()
        assert seconds - 0.1 <= watch.seconds <= seconds + 0.5
    assert status_of(answer) == HTTPStatus.REQUEST_TIMEOUT
    assert refusals_told() == [(408, reason)]


def test_who_connects_and_says_nothing_is_let_go_without_a_word(shared: Receiver, authority: Authority) -> None:
    """A probe of a port is no request, and no line of the journal."""
    before = shared.counts.refusals.copy()
    with RawConnection(shared.port, authority.trust) as connection:
        assert connection.receive() == b""
    assert shared.counts.refusals == before


def test_a_handshake_that_does_not_come_is_cut_off_and_told(
    shared: Receiver, refusals_told: Callable[[], list[Refused]]
) -> None:
    """Nobody holds a place by doing nothing."""
    with RawConnection(shared.port) as connection:
        watch = Stopwatch()
        assert connection.receive() == b""
        assert watch.seconds <= QUICK.handshake_seconds + 0.5
    assert refusals_told() == [(0, "handshake: too slow or broken off")]


def test_slow_clients_in_every_place_shut_nobody_out(start: Callable[..., Receiver], authority: Authority) -> None:
    """With all connections taken by slow ones, a new one is served at once: the oldest slow one makes room."""
    limits = Limits(connections=20)
    receiver = start(limits)
    with ExitStack() as stack:
        for number in range(limits.connections):
            is_handshake = number % 2
            slow = RawConnection(receiver.port, None if is_handshake else authority.trust)
            stack.enter_context(slow)
            if not is_handshake:
                slow.send(HEAD if number % 4 else HEAD + b"content-length: 9\r\n\r\n1")
        for _ in range(5):
            watch = Stopwatch()
            with RawConnection(receiver.port, authority.trust) as quick:
                quick.send(GOOD)
                assert status_of(quick.receive_answer()) == HTTPStatus.OK
            assert watch.seconds < 1
    assert receiver.counts.connections_cut >= 1


def test_a_full_queue_is_503_with_a_time_to_come_back(
    start: Callable[..., Receiver], client: httpx.Client, settings: Settings
) -> None:
    """The sender keeps the delivery, and is told when to try again."""
    receiver = start(replace(QUICK, queue_count=0))
    answer = client.post(receiver.url, content=b"{}", headers={TOKEN_NAME: TOKEN})
    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert answer.headers["retry-after"] == "1"
    receiver.__exit__(None, None, None)
    assert reasons(settings) == [(503, committing.QUEUE_FULL)]


def test_bodies_under_way_are_bounded_together(start: Callable[..., Receiver], client: httpx.Client) -> None:
    """Many large bodies at once do not take the machine's memory."""
    receiver = start(replace(QUICK, held_bytes=100_000))
    answer = client.post(receiver.url, content=iter([b"x" * 60_000] * 50), headers={TOKEN_NAME: TOKEN})
    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert client.post(receiver.url, content=b"{}", headers={TOKEN_NAME: TOKEN}).status_code == HTTPStatus.OK


def test_a_refusal_does_not_cost_the_connection(receiver: Receiver, client: httpx.Client) -> None:
    """After a 401 with its body the same connection serves on."""
    assert client.post(receiver.url, content=b"x" * 100_000).status_code == HTTPStatus.UNAUTHORIZED
    assert client.post(receiver.url, content=b"{}", headers={TOKEN_NAME: TOKEN}).status_code == HTTPStatus.OK
    assert len(receiver.connections) == 1


def test_requests_sent_ahead_are_answered_in_order(shared: Receiver, authority: Authority) -> None:
    """HTTP/1.1 allows a client not to wait (RFC 9112, 9.3.2)."""
    with RawConnection(shared.port, authority.trust) as connection:
        connection.send(
            GOOD + GOOD.replace(b"POST", b"GET") + GOOD.replace(b"\r\nhost", b"\r\nconnection: close\r\nhost")
        )
        answers = connection.receive()
    assert [status_of(b"HTTP/1.1 " + part) for part in answers.split(b"HTTP/1.1 ")[1:]] == [200, 405, 200]


@pytest.mark.parametrize("upgrade", [b"websocket", b"h2c"])
def test_an_offer_to_upgrade_is_declined_by_answering(shared: Receiver, authority: Authority, upgrade: bytes) -> None:
    """A server may ignore it (RFC 9110, 7.8); it must not leave the sender waiting."""
    with RawConnection(shared.port, authority.trust) as connection:
        connection.send(HEAD + b"connection: upgrade\r\nupgrade: " + upgrade + b"\r\ncontent-length: 2\r\n\r\n{}")
        assert status_of(connection.receive_answer()) in {HTTPStatus.OK, HTTPStatus.BAD_REQUEST}
