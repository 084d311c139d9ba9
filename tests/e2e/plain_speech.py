"""How a plain vendor writes records down and speaks HTTP: what one author of such a server does, and another does not.

All of it is allowed by the page, by HTTP (RFC 9110, 9112) or by JSON (RFC 8259), or was seen in the vendor's samples.
"""

import gzip
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler
from typing import Any, Literal

from tests.e2e.plain_world import Record

PATH = "/api/reports/progress"
OPTIONAL = ("memberIdentifier", "dateCompleted", "completionCode")


@dataclass(frozen=True)
class Speech:
    """How things are written.

    Attributes:
        envelope: `{"count", "rows"}`; a bare array; or a bare object where there is one record, else an array.
        count: What `count` is: of the whole list, the same as text, of the page, or not there.
        empty: What stands for no record at all.
        numbers: How transactionId and progress are written; `float` is for progress alone.
        absent: How a value that is not there is written.
        dates: How instants are written; all are the same instant.
        odd: Whether each record is written in another way, as the vendor's sample client shows.
        keys: Whether keys stand in the page's order, or in another in each record.
        http: The version, or 1.1 with a body in chunks.
        gzipped: Whether the body is compressed.
        mark: Whether the body begins with a byte order mark.
        ascii: Whether other letters are escaped.
        content_type: The header's value.
        headers: How the names of headers are written.
    """

    envelope: Literal["rows", "array", "object"] = "rows"
    count: Literal["total", "text", "page", "missing"] = "total"
    empty: Literal["list", "null", "object", "204"] = "list"
    numbers: Literal["number", "text", "float"] = "number"
    absent: Literal["empty", "null", "missing"] = "empty"
    dates: Literal["plain", "z", "fractions", "utc_offset", "offset", "space"] = "plain"
    odd: bool = False
    keys: Literal["ordered", "shuffled"] = "ordered"
    http: Literal["1.0", "1.1", "chunked"] = "1.1"
    gzipped: bool = False
    mark: bool = False
    ascii: bool = False
    content_type: str = "application/json"
    headers: Literal["canonical", "lower"] = "canonical"

    def page(self, records: Sequence[Record], total: int) -> tuple[int, bytes]:
        """Write an answer: its status and its body."""
        written = [self.record(each) for each in records]
        if not written and self.empty != "list":
            return {"null": (200, b"null"), "object": (200, b"{}"), "204": (204, b"")}[self.empty]
        told: object = written
        if self.envelope == "rows":
            count = {"total": total, "text": str(total), "page": len(written)}.get(self.count)
            told = {"rows": written} if count is None else {"count": count, "rows": written}
        elif self.envelope == "object" and len(written) == 1:
            told = written[0]
        body = json.dumps(told, ensure_ascii=self.ascii).encode()
        return 200, b"\xef\xbb\xbf" + body if self.mark else body

    def record(self, record: Record) -> dict[str, Any]:
        """Write a record, the same each time."""
        chance = random.Random(f"{record['transactionId']} {record['progress']}")  # noqa: S311 - the same each time
        written = {key: self._value(key, value, chance) for key, value in record.items()}
        for key in OPTIONAL:
            if record[key] is None and self._absent(chance) == "missing":
                del written[key]
        if self.odd and chance.random() < 0.3:
            written["region"] = {"name": "north", "codes": [1, 2]}
        if self.keys == "shuffled":
            written = dict(chance.sample(sorted(written.items()), len(written)))
        return written

    def _value(self, key: str, value: object, chance: random.Random) -> object:
        if value is None:
            return None if self._absent(chance) == "null" else ""
        if isinstance(value, datetime):
            return self._odd_date(value, chance) if self.odd else date_text(value, self.dates)
        if self.numbers == "float" and key == "progress":
            return float(str(value))
        if isinstance(value, int) and (self.numbers == "text" or (self.odd and chance.random() < 0.5)):
            return str(value)
        return value

    def _absent(self, chance: random.Random) -> str:
        return chance.choice(("empty", "null", "missing")) if self.odd else self.absent

    @staticmethod
    def _odd_date(at: datetime, chance: random.Random) -> str:
        return f"{at:%Y-%m-%dT%H:%M:%S}" + chance.choice(("", "Z", ".000", ".0000000", ".000Z"))


def date_text(at: datetime, form: str) -> str:
    """Write an instant."""
    plain = f"{at:%Y-%m-%dT%H:%M:%S}"
    if form == "offset":
        return at.astimezone(timezone(timedelta(hours=2))).isoformat()
    return {"z": plain + "Z", "fractions": plain + ".0000000", "utc_offset": plain + "+00:00"}.get(
        form, plain.replace("T", " ") if form == "space" else plain
    )


def handler(speech: Speech, answer: Callable[[bytes], tuple[int, bytes]]) -> type[BaseHTTPRequestHandler]:
    """Make the class that serves the answers over HTTP."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0" if speech.http == "1.0" else "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, told = (404, b"{}") if self.path != PATH else answer(body)
            self.send_response(status)
            self._head("Content-Type", speech.content_type)
            if speech.gzipped:
                told = gzip.compress(told)
                self._head("Content-Encoding", "gzip")
            if speech.http == "chunked" and status != 204:
                self._head("Transfer-Encoding", "chunked")
                told = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in _parts(told)) + b"0\r\n\r\n"
            elif speech.http != "1.0" and status != 204:
                self._head("Content-Length", str(len(told)))
            self.end_headers()
            if status != 204:
                self.wfile.write(told)

        def _head(self, name: str, value: str) -> None:
            self.send_header(name.lower() if speech.headers == "lower" else name, value)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
            """Say nothing."""

    return Handler


def _parts(body: bytes, size: int = 999) -> list[bytes]:
    return [body[at : at + size] for at in range(0, len(body), size)]
