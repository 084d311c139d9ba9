"""A request bears the token once, under its name, in the query or a header; anything else is 401 and nothing more."""

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import quote

import httpx
import pytest

from progress_pipeline.landing.reading import LandedDelivery
from progress_pipeline.receiver import tokens
from progress_pipeline.receiver.server import Receiver
from progress_pipeline.receiver.tokens import TokenCheck, TokenMask
from progress_pipeline.settings import Settings
from tests.receiver.conftest import NEXT_TOKEN, TOKEN, TOKEN_NAME, Refused, landed

N, T, X = TOKEN_NAME, TOKEN, NEXT_TOKEN

ACCEPTED: dict[str, tuple[str, list[tuple[str, bytes]]]] = {
    "query": (f"?{N}={T}", []),
    "query among others": (f"?a=1&{N}={T}&b", []),
    "query percent-encoded": (f"?{quote(N[0]).replace('a', '%61')}{N[1:]}={'%37' + T[1:]}", []),
    "header": ("", [(N, T.encode())]),
    "header in other letters": ("", [(N.upper(), T.encode())]),
    "both, equal": (f"?{N}={T}", [(N, T.encode())]),
    "the next one": (f"?{N}={X}", []),
    "the next one in a header": ("", [(N, X.encode())]),
}

REFUSED: dict[str, tuple[str, list[tuple[str, bytes]], str]] = {
    "none": ("", [], tokens.NO_TOKEN),
    "another name": (f"?other={T}", [("other", T.encode())], tokens.NO_TOKEN),
    "the name in other letters in the query": (f"?{N.upper()}={T}", [], tokens.NO_TOKEN),
    "as a bearer": ("", [("authorization", b"Bearer " + T.encode())], tokens.NO_TOKEN),
    "as a cookie": ("", [("cookie", f"{N}={T}".encode())], tokens.NO_TOKEN),
    "empty in the query": (f"?{N}=", [], tokens.EMPTY),
    "bare in the query": (f"?{N}", [], tokens.EMPTY),
    "empty header": ("", [(N, b"")], tokens.EMPTY),
    "blank within a header": ("", [(N, T[:9].encode() + b" " + T[9:].encode())], tokens.WRONG),
    "empty header beside a good query": (f"?{N}={T}", [(N, b"")], tokens.EMPTY),
    "doubled in the query": (f"?{N}={T}&{N}={T}", [], tokens.DOUBLED),
    "doubled in headers": ("", [(N, T.encode()), (N, T.encode())], tokens.DOUBLED),
    "doubled and one of them wrong": (f"?{N}={T}&{N}=x", [], tokens.DOUBLED),
    "contradicting": (f"?{N}={T}", [(N, b"x")], tokens.CONTRADICTING),
    "both live, but not the same": (f"?{N}={T}", [(N, X.encode())], tokens.CONTRADICTING),
    "not ASCII in the query": (f"?{N}=%C3%A9", [], tokens.NOT_ASCII),
    "not ASCII in a header": ("", [(N, b"\xe9")], tokens.NOT_ASCII),
    "wrong": (f"?{N}=x", [], tokens.WRONG),
    "cut by one": (f"?{N}={T[:-1]}", [], tokens.WRONG),
    "one too long": (f"?{N}={T}0", [], tokens.WRONG),
    "in other letters": (f"?{N}={T.upper()}", [], tokens.WRONG),
    "with a zero byte": (f"?{N}={T}%00", [], tokens.WRONG),
    "twice encoded": (f"?{N}=%25{T}", [], tokens.WRONG),
}


@pytest.mark.parametrize(("query", "headers"), ACCEPTED.values(), ids=ACCEPTED)
def test_the_token_is_accepted(
    client: httpx.Client, shared: Receiver, query: str, headers: list[tuple[str, bytes]]
) -> None:
    """In each place and form that the vendor may use."""
    answer = client.post(shared.url + query, content=b"{}", headers=_raw(headers))
    assert answer.status_code == HTTPStatus.OK


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_anything_else_is_401_and_the_reason_is_told_to_the_operator_alone(
    client: httpx.Client,
    shared: Receiver,
    refusals_told: Callable[[], list[Refused]],
    case: tuple[str, list[tuple[str, bytes]], str],
) -> None:
    """A sender who guesses learns nothing from the answer, and nothing is stored."""
    query, headers, reason = case
    before = shared.counts.deliveries
    answer = client.post(shared.url + query, content=b"{}", headers=_raw(headers))
    assert answer.status_code == HTTPStatus.UNAUTHORIZED
    assert answer.content == b'{"error":"unauthorized"}'
    assert refusals_told() == [(401, reason)]
    assert shared.counts.deliveries == before


def test_a_live_token_in_a_body_is_masked_in_what_is_landed(
    client: httpx.Client, receiver: Receiver, settings: Settings
) -> None:
    """As in the flat record of 2017, which bore it in the body; its length stays, and so does all else."""
    body = b'{"token": "%s", "transactionId": 1}' % T.encode()
    client.post(f"{receiver.url}?{N}={T}", content=body, headers={"content-type": f"text/{X}"})
    receiver.__exit__(None, None, None)
    (delivery,) = landed(settings.landing_path)
    assert isinstance(delivery, LandedDelivery)
    assert delivery.body == body.replace(T.encode(), b"*" * len(T))
    assert delivery.content_type == f"text/{'*' * len(X)}"
    assert receiver.counts.masked_tokens == 1


@pytest.mark.parametrize(
    ("value", "reason"), [(T.encode() + b" \t ", None), (b" \t", tokens.EMPTY), (T.encode() + b"\x0b", tokens.WRONG)]
)
def test_blanks_after_a_headers_value_are_no_part_of_it(value: bytes, reason: str | None) -> None:
    """The parser hands them on, though they mean nothing (RFC 9110, 5.5); a sender that leaves one there is let in."""
    assert TokenCheck(N, [T]).refusal(b"", [(N.lower().encode(), value)]) == reason


def test_a_short_token_is_not_looked_for_in_bodies() -> None:
    """It would be found where it is none."""
    assert TokenMask(["abc"]).mask(b"abcabc") == (b"abcabc", 0)


def test_no_repr_tells_a_token() -> None:
    """Nor does the repr of what holds them."""
    assert "secret" not in f"{TokenCheck('name', ['secret-secret'])!r} {TokenMask(['secret-secret'])!r}"


def _raw(headers: list[tuple[str, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value) for name, value in headers]
