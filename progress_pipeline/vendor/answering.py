"""Judging an HTTP answer before it is read as a page: what it says of the token, the limit, and whether to ask again.

The vendor's page shows only the good answer, so the rest is read by what HTTP says and, in an error's few words, by
what they speak of: a limit or a token. Each judgement is one of ours:

    401, 403, or an error body that speaks of the token      TokenRefusedError, at once
    429, or an error body that speaks of a limit             LimitRefusedError, after the wait that the vendor asks for
    408, 425, 5xx                                            VendorUnavailableError, asked again
    3xx and every other 4xx                                  QuestionRefusedError, at once; no redirect is followed
    2xx that is no page (HTML, JSON that stops)              UnreadableAnswerError, asked again

A login page with status 200 looks like any other HTML, so it is asked again, and the message names the possibility.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from progress_pipeline.errors import (
    LimitRefusedError,
    TokenRefusedError,
    UnreadableAnswerError,
    VendorError,
    VendorUnavailableError,
)
from progress_pipeline.vendor.records import Page, excerpt, read_page

UNAUTHORIZED, FORBIDDEN, TOO_MANY = 401, 403, 429
PASSING = frozenset({408, 425, *range(500, 600)})
NOT_THERE = frozenset({404, 405, 410, *range(300, 400)})
ERROR_BODY_BYTES = 4096
_WHERE = " Is PROGRESS_API_URL the full endpoint, like https://…/api/reports/progress?"
_TOKEN_WORDS = re.compile(rb"token|unauthori[sz]ed|forbidden|credential|not authenticated", re.IGNORECASE)
_LIMIT_WORDS = re.compile(rb"limit|quota|too many|throttl", re.IGNORECASE)
_NO_CONTENT = 204
_LONGEST_WAIT = timedelta(seconds=10**7)
_DIGITS = 8
"""Of the longest wait in seconds; more say no more, and thousands cannot be read as a number."""


class QuestionRefusedError(UnreadableAnswerError):
    """The vendor refuses the question as it was put; putting it again is of no use."""


@dataclass(frozen=True)
class Judgement:
    """Why an answer is none, and whether asking again may help.

    Attributes:
        error: What to raise in the end.
        can_heal: Whether to ask again.
        wait: How long the vendor asks to wait, where it does.
    """

    error: VendorError
    can_heal: bool = False
    wait: timedelta | None = None


def judge(status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> Page | Judgement:
    """Read an answer, or say why it is none.

    Args:
        status: The HTTP status.
        headers: The answer's headers.
        body: Its body; of a failure, at least the beginning.
        now: The machine's time, against which a Retry-After that is a date is held.
    """
    if status == _NO_CONTENT:
        return read_page(b"null")
    if 200 <= status < 300:  # noqa: PLR2004 - the class of HTTP's successes
        return _judge_good(body)
    wait = retry_after(headers, now)
    speaks_of_limit = bool(_LIMIT_WORDS.search(body[:ERROR_BODY_BYTES]))
    if status == TOO_MANY or (status == FORBIDDEN and speaks_of_limit):
        return Judgement(_limit(f"HTTP {status}", body), status == TOO_MANY, wait)
    if status in {UNAUTHORIZED, FORBIDDEN}:
        return Judgement(_token(f"HTTP {status}", body))
    if status in PASSING:
        error = VendorUnavailableError(f"The vendor answered HTTP {status}: {excerpt(body)}.")
        return Judgement(error, can_heal=True, wait=wait)
    advice = _WHERE if status in NOT_THERE else ""
    text = f"The vendor refused the question with HTTP {status}: {excerpt(body)}.{advice}"
    return Judgement(QuestionRefusedError(text))


def _judge_good(body: bytes) -> Page | Judgement:
    try:
        return read_page(body)
    except UnreadableAnswerError as error:
        is_short_object = body.lstrip().startswith(b"{") and len(body) < ERROR_BODY_BYTES
        if is_short_object and _LIMIT_WORDS.search(body):
            return Judgement(_limit("HTTP 200 with an error", body))
        if is_short_object and _TOKEN_WORDS.search(body):
            return Judgement(_token("HTTP 200 with an error", body))
        if body.lstrip()[:1] == b"<":
            text = f"The vendor answered with HTML (a login page? then the token is not accepted): {excerpt(body)}."
            return Judgement(UnreadableAnswerError(text), can_heal=True)
        return Judgement(error, can_heal=True)


def _limit(what: str, body: bytes) -> LimitRefusedError:
    return LimitRefusedError(f"The vendor says that its limit of calls is reached ({what}: {excerpt(body)}).")


def _token(what: str, body: bytes) -> TokenRefusedError:
    return TokenRefusedError(
        f"The vendor does not accept the token ({what}: {excerpt(body)}). Check PROGRESS_API_TOKEN; "
        "nothing was asked again."
    )


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Read a Retry-After header: seconds, or a date (RFC 9110, 10.2.3)."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        digits = text.lstrip("0")[: _DIGITS + 1]
        return min(timedelta(seconds=int(digits or 0)), _LONGEST_WAIT)
    at = http_date(text)
    return max(at - now, timedelta()) if at else None


def http_date(text: str) -> datetime | None:
    """Read a date of an HTTP header."""
    try:
        at = parsedate_to_datetime(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):  # the last: beyond the calendar in UTC
        return None
