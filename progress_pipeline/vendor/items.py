"""Cutting a list that is not valid JSON into its items, so that one broken record does not cost the others.

The vendor's own samples do not parse: a comma is missing, one stands too many. Strings and brackets are followed and
nothing else is understood, so a list is cut rightly unless a quote is missing. A body that stops in the middle is not
cut at all:
what is missing from it nobody knows.
"""

import re

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\],]', re.DOTALL)
_ROWS = re.compile(rb'\s*\{(?:[^{}\[\]"]|"(?:[^"\\]|\\.)*")*?"rows"\s*:\s*(?=\[)', re.DOTALL)
_COUNT = re.compile(rb'"count"\s*:\s*(\d+)')


def cut_list(body: bytes) -> tuple[list[bytes], bytes | None] | None:
    """Cut a bare list, or the list under `rows`, into its items.

    Returns:
        The items' bytes, and the bytes of `count` where an envelope has one; None where no whole list can be seen.
    """
    begin, is_envelope = _find_list(body)
    if begin is None:
        return None
    items: list[bytes] = []
    depth, at = 0, begin + 1
    for token in _TOKEN.finditer(body, begin):
        mark = token.group()
        if mark in {b"{", b"["}:
            depth += 1
        elif mark in {b"}", b"]"}:
            depth -= 1
            if depth == 0:
                items.append(body[at : token.start()])
                return _finish(items, body[begin : token.end()], body[:begin], body[token.end() :], is_envelope)
        elif mark == b"," and depth == 1:
            items.append(body[at : token.start()])
            at = token.end()
    return None


def _find_list(body: bytes) -> tuple[int | None, bool]:
    if body.lstrip().startswith(b"["):
        return body.index(b"["), False
    head = _ROWS.match(body)
    return (head.end(), True) if head else (None, False)


def _finish(
    items: list[bytes], listed: bytes, before: bytes, after: bytes, is_envelope: bool
) -> tuple[list[bytes], bytes | None] | None:
    """Accept the cut if the list and what is around it come to their end."""
    if not listed.endswith(b"]") or (is_envelope != after.rstrip().endswith(b"}")):
        return None
    if not is_envelope and after.strip():
        return None
    count = _COUNT.search(before) or _COUNT.search(after)
    kept = [item.strip() for item in items]
    return [item for item in kept if item], count.group(1) if count else None
