"""Decides whether a request bears the token, without telling anybody anything else.

The vendor sends the token under an agreed name, in the query string or in a header. It counts only if it is there
once, or once in each place and equal. Both live values are always compared, as hashes of one length, in constant time
(`hmac.compare_digest`), so that neither the time taken nor the answer tells how near a guess was.
"""

import hashlib
import hmac
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

NO_TOKEN = "no token"  # noqa: S105 (a reason, no token)
DOUBLED = "token given more than once"
EMPTY = "token empty"
NOT_ASCII = "token not ASCII"
CONTRADICTING = "tokens contradict each other"
WRONG = "wrong token"

_BLANKS = b" \t"
"""Blanks around a header's value are no part of it (RFC 9110, 5.5); the parser takes away only those before it."""


class TokenCheck:
    """Compares what a request bears with the live tokens."""

    def __init__(self, name: str, values: Iterable[str]) -> None:
        self._name = name.encode("ascii")
        self._header = name.lower().encode("ascii")
        self._digests = [hashlib.sha256(value.encode("ascii")).digest() for value in values]

    def __repr__(self) -> str:
        return f"TokenCheck({self._name!r})"

    def refusal(self, query: bytes, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        """Give the reason for which a request is refused, or None if it bears a live token.

        Args:
            query: The raw query string.
            headers: Names in lower case, and raw values.
        """
        in_query = self._in_query(query) if query else []
        in_headers = [value.strip(_BLANKS) for name, value in headers if name == self._header]
        if len(in_query) > 1 or len(in_headers) > 1:
            return DOUBLED
        candidates = in_query + in_headers
        if not candidates:
            return NO_TOKEN
        if not all(candidates):
            return EMPTY
        if not all(map(bytes.isascii, candidates)):
            return NOT_ASCII
        digests = [hashlib.sha256(candidate).digest() for candidate in candidates]
        if not hmac.compare_digest(digests[0], digests[-1]):
            return CONTRADICTING
        matches = [hmac.compare_digest(digests[0], live) for live in self._digests]
        return None if any(matches) else WRONG

    def _in_query(self, query: bytes) -> list[bytes]:
        """Give every value that stands in the query under the token's name, both percent-decoded."""
        values = []
        for pair in query.split(b"&"):
            name, _, value = pair.partition(b"=")
            if name == self._name or (b"%" in name and unquote_to_bytes(name) == self._name):
                values.append(unquote_to_bytes(value) if b"%" in value else value)
        return values


class TokenMask:
    """Takes live tokens out of bytes that are to be kept."""

    _SHORTEST = 8
    """A shorter value would be found where it is none."""

    def __init__(self, values: Iterable[str]) -> None:
        self._values = [value.encode("ascii") for value in values if len(value) >= self._SHORTEST]

    def __repr__(self) -> str:
        return "TokenMask()"

    def mask(self, content: bytes) -> tuple[bytes, int]:
        """Put as many asterisks in each token's place; give the content, and how many tokens stood in it."""
        count = 0
        for value in self._values:
            if value in content:
                count += content.count(value)
                content = content.replace(value, b"*" * len(value))
        return content, count
