"""A vendor on this machine that costs next to nothing: prebuilt records, any slice of which is sent from a file.

    python -m benchmarks.pull_server FOLDER --records 1000000
    python -m benchmarks.pull_server FOLDER --records 1000000 --page 1000 --into PAGES

Records ascend by transactionId and by dateStarted, on which the filter is; `count` is the total. It takes the vendor's
POST, and GET with `start` and `number` for programs that cannot put a question in a body. The port stands in
FOLDER/port once it answers. Whoever starts it measures the clients, not this.
"""

import argparse
import json
import os
import socket
import socketserver
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import duckdb
import numpy as np

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
DAYS = 365
A_DAY = 86_400 * 1_000_000
SEPARATOR = 2

_RECORDS = """
    copy (
        select
            '{"transactionId":' || (1000000 + i) || ',"firstName":"Learner' || (i * 7919 % 10007)
            || '","lastName":"Surname' || (i * 104729 % 100003) || '","email":"learner' || (i // 5) || '@club'
            || (i * 31 % 997) || '.example.org","memberIdentifier":"' || lpad((i // 5)::varchar, 9, '0')
            || '","activityId":"https://activities.example.org/' || (i % 500)
            || '","activityTitle":"Activity ' || (i % 500) || ': safe and fair in sport","registration":"'
            || lower(regexp_replace(md5(i::varchar), '(.{8})(.{4})(.{4})(.{4})(.{12})', '\\1-\\2-\\3-\\4-\\5'))
            || '","dateStarted":"' || strftime($1 + to_microseconds(i * $2), '%Y-%m-%dT%H:%M:%S.%g')
            || '","progress":' || (case when i % 3 = 0 then 100 else i % 100 end)
            || ',"dateCompleted":' || case when i % 3 = 0
                then '"' || strftime($1 + to_microseconds(i * $2) + to_hours(30), '%Y-%m-%dT%H:%M:%S.%g') || '"'
                else 'null' end
            || ',"completionCode":' || case when i % 3 = 0 then '"C-' || i || '"' else 'null' end || '},' as record
        from range($3) as numbers (i)
    ) to '{file}' (format csv, header false, quote '', escape '', delimiter '\x01')
"""


def make_records(folder: Path, count: int, days: float = DAYS) -> Path:
    """Write the records of so many days, one a line, and where each begins; what is there already is kept."""
    file = folder / f"records-{count}-{days:.0f}.txt"
    places = file.with_suffix(".npy")
    if places.exists():
        return file
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        statement = _RECORDS.replace("{file}", str(file))
        connection.execute(statement, [BEGIN.replace(tzinfo=None), int(days * A_DAY) // count, count])
    text = np.memmap(file, dtype=np.uint8, mode="r")
    parts = [np.flatnonzero(text[at : at + (1 << 26)] == ord("\n")) + at for at in range(0, len(text), 1 << 26)]
    begins = np.concatenate([[0], np.concatenate(parts) + 1]).astype(np.int64)
    assert len(begins) == count + 1
    np.save(places, begins)
    return file


def write_pages(folder: Path, count: int, page: int, into: Path) -> None:
    """Write the pages as files, as they would be sent: what DuckDB reads from disk."""
    into.mkdir(parents=True, exist_ok=True)
    records = Records(folder, count)
    for start in range(0, count, page):
        head, begin, size, tail = records.slice(0, count, start, page)
        body = os.pread(records.file, size, begin)
        (into / f"page-{start:09}.json").write_bytes(head + body + tail)


class Records:
    """The records of one folder: which stand in a window, and where."""

    def __init__(self, folder: Path, count: int, days: float = DAYS) -> None:
        file = make_records(folder, count, days)
        self.file = os.open(file, os.O_RDONLY)
        self.begins = np.load(file.with_suffix(".npy"), mmap_mode="r")
        self.count = count
        self.step = int(days * A_DAY) // count

    def window(self, start: str | None, end: str | None) -> tuple[int, int]:
        """Give the numbers of a window's records; times are cut to milliseconds, as they are written."""
        return self._first(start) if start else 0, self._first(end) if end else self.count

    def _first(self, text: str) -> int:
        at = datetime.fromisoformat(text)
        microseconds = int((at.replace(tzinfo=at.tzinfo or UTC) - BEGIN).total_seconds() * 1_000_000)
        return min(max(-(-microseconds // self.step), 0), self.count)

    def slice(self, low: int, high: int, start: int, number: int) -> tuple[bytes, int, int, bytes]:
        """Give an answer: what comes before the records, where they stand in the file, and what comes after."""
        first = min(low + start, high)
        last = min(first + number, high)
        head = b'{"count":%d,"rows":[' % (high - low)
        begin = int(self.begins[first])
        size = int(self.begins[last]) - begin - SEPARATOR if last > first else 0
        return head, begin, size, b"]}"


class Handler(socketserver.StreamRequestHandler):
    """Answers one connection, request after request."""

    disable_nagle_algorithm = True
    server: "Server"

    def handle(self) -> None:
        """Answer until the client goes."""
        while line := self.rfile.readline():
            method, target = line.split()[:2]
            length = 0
            while (header := self.rfile.readline().strip()) != b"":
                name, _, value = header.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            asked = json.loads(self.rfile.read(length)) if length else {}
            if method == b"GET":
                asked = {name: values[0] for name, values in parse_qs(urlsplit(target.decode()).query).items()}
            self._answer(asked)

    def _answer(self, asked: dict[str, str]) -> None:
        records = self.server.records
        low, high = records.window(asked.get("startDate"), asked.get("endDate"))
        head, begin, size, tail = records.slice(low, high, int(asked.get("start", 0)), int(asked.get("number", 100)))
        length = len(head) + size + len(tail)
        status = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % length
        self.connection.sendall(status + head, socket.MSG_MORE)
        while size:
            sent = os.sendfile(self.connection.fileno(), records.file, begin, size)
            begin, size = begin + sent, size - sent
        self.connection.sendall(tail)


class Server(socketserver.ThreadingTCPServer):
    """Serves one folder's records."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, records: Records) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.records = records


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--days", type=float, default=DAYS)
    parser.add_argument("--page", type=int, help="write pages of so many records instead of serving")
    parser.add_argument("--into", type=Path, help="where these pages go")
    asked = parser.parse_args()
    if asked.page:
        write_pages(asked.folder, asked.records, asked.page, asked.into)
        return
    with Server(Records(asked.folder, asked.records, asked.days)) as server:
        aside = asked.folder / "port.part"
        aside.write_text(str(server.server_address[1]))
        aside.rename(asked.folder / "port")
        server.serve_forever()


if __name__ == "__main__":
    main()
