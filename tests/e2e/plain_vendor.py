"""A vendor that speaks the vendor's page and nothing else, on the standard library alone.

It shares no code with `progress_pipeline.sandbox`, so that a misreading there is not repeated here. A year of learners
happens by itself, from a seed; the test sets the clock. What the page leaves open is a switch. It knows the truth.
"""

import json
import random
import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal, Self

TOKEN = "f7e1379c-35ad-45f9-b0fa-6ef011e73938"
PATH = "/api/reports/progress"
SEARCHED = ("firstName", "lastName", "email", "activityTitle", "registration", "completionCode")
FIRST_NAMES = ("Zoë", "Björn", "An", "李", "Ana María", "O'Neil", "Siobhán", "Müge", "Ada", "Jan-Piet", "Ægir", "Ho")
LAST_NAMES = (
    "Doe",
    "Ñúñez",
    "de la Cruz",
    "Smith",
    "van 't Hoff",
    "Ødegård",
    "王",
    "Doe; drop table x",
    'He said "no"',
)
TITLES = ("Concussion", "Coaching I", "Coaching II", "Anti-Doping", "Safeguarding, part 1", "Réanimation")

Record = dict[str, Any]


@dataclass(frozen=True)
class Switches:
    """What the vendor's page leaves open, and how much happens.

    Attributes:
        registrations: Learners' instances of an activity, over the whole span.
        start: First instant of the span.
        days: Its length.
        envelope: `{"count", "rows"}`, or a bare array.
        transactions: Whether a registration keeps one transaction, or each update gets one of its own.
        filter_on: The date that the asked range is held against.
        end_inclusive: Whether endDate itself is in; startDate is.
        undated: Whether a record without that date is in every range, or in none.
        odd: Whether values are written as oddly as the vendor's sample client shows.
        daily_calls: Calls in a UTC day.
        page_cap: Most records in an answer, silently; none if None.
        landing: Folder that gets webhook bodies as `*.json`; none if None.
        lost_share: Webhook bodies that are lost.
        silence: Days after the start, from and to, in which every webhook body is lost.
        seed: Everything made up follows from it.
    """

    registrations: int = 200
    start: datetime = datetime(2025, 1, 1, tzinfo=UTC)
    days: int = 365
    envelope: Literal["rows", "array"] = "rows"
    transactions: Literal["in_place", "per_update"] = "in_place"
    filter_on: Literal["changed", "started", "completed"] = "changed"
    end_inclusive: bool = False
    undated: Literal["in", "out"] = "in"
    odd: bool = False
    daily_calls: int = 500
    page_cap: int | None = None
    landing: Path | None = None
    lost_share: float = 0.0
    silence: tuple[float, float] = (0.0, 0.0)
    seed: int = 1


@dataclass(frozen=True)
class Update:
    """One thing that a learner did, and the record by which the vendor tells it."""

    at: datetime
    kind: Literal["started", "progressed", "completions"]
    record: Record


@dataclass
class Vendor:
    """The vendor: a context manager that serves on loopback.

    Attributes:
        switches: As above.
        now: The vendor's clock.
        calls: Requests that came with a good token, by UTC day of that clock.
        refused: Requests beyond the day's calls.
        lost: Webhook bodies that were lost.
    """

    switches: Switches
    updates: list[Update] = field(default_factory=list)
    now: datetime = datetime(1, 1, 1, tzinfo=UTC)
    calls: dict[str, int] = field(default_factory=dict)
    refused: int = 0
    lost: int = 0

    def __post_init__(self) -> None:
        if not self.updates:
            self.updates = sorted(_happen(self.switches), key=lambda update: update.at)
        self.now = self.switches.start
        self._pushed = 0
        self._lock = threading.Lock()
        self._random = random.Random(self.switches.seed + 1)  # noqa: S311 - the same each time
        self._visible: list[tuple[datetime, Record]] = []
        self._visible_at: datetime | None = None

    def __enter__(self) -> Self:
        vendor = self

        class Handler(_Handler):
            def tell(self, body: bytes) -> tuple[int, bytes]:
                return vendor.answer(body)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{PATH}"

    def move_to(self, instant: datetime) -> None:
        """Let everything until an instant happen, and push it."""
        with self._lock:
            self.now = instant
        landing = self.switches.landing
        while self._pushed < len(self.updates) and self.updates[self._pushed].at <= instant:
            bundle = [self.updates[self._pushed]]
            for update in self.updates[self._pushed + 1 :]:
                if update.at > min(instant, bundle[0].at + timedelta(minutes=5)) or len(bundle) == 20:
                    break
                bundle.append(update)
            self._pushed += len(bundle)
            if landing is not None:
                self._push(landing, bundle)

    def _push(self, landing: Path, bundle: list[Update]) -> None:
        at = bundle[0].at
        first, last = (self.switches.start + timedelta(days=day) for day in self.switches.silence)
        if first <= at < last or self._random.random() < self.switches.lost_share:
            self.lost += len(bundle)
            return
        body = {kind: [each.record for each in bundle if each.kind == kind] for kind in _KINDS}
        folder = landing / f"{at:%Y-%m}"
        folder.mkdir(parents=True, exist_ok=True)
        name = uuid.UUID(int=self._random.getrandbits(128))
        (folder / f"{name}.json").write_text(json.dumps(body, ensure_ascii=False), encoding="utf-8")

    def answer(self, body: bytes) -> tuple[int, bytes]:
        """Answer one POST."""
        try:
            asked = json.loads(body)
        except ValueError:
            return 400, b'{"error":"not JSON"}'
        if not isinstance(asked, dict) or asked.get("token") != TOKEN:
            return 401, b'{"error":"token"}'
        with self._lock:
            day = f"{self.now:%Y-%m-%d}"
            if self.calls.get(day, 0) >= self.switches.daily_calls:
                self.refused += 1
                return 429, b'{"error":"daily limit"}'
            self.calls[day] = self.calls.get(day, 0) + 1
            rows = self._select(asked)
        first, number = int(asked.get("start") or 0), int(asked.get("number") or 100)
        page = rows[first : first + min(number, self.switches.page_cap or number)]
        told: object = {"count": len(rows), "rows": page} if self.switches.envelope == "rows" else page
        return 200, json.dumps(told, ensure_ascii=False).encode()

    def _select(self, asked: Mapping[str, Any]) -> list[Record]:
        if self._visible_at != self.now:
            self._visible, self._visible_at = self._list(), self.now
        start, end = _instant(asked.get("startDate")), _instant(asked.get("endDate"))
        found = [record for changed, record in self._visible if self._is_in(changed, record, start, end)]
        if asked.get("completed") is True:
            found = [record for record in found if record.get("dateCompleted")]
        if term := str(asked.get("search") or "").casefold():
            found = [each for each in found if any(term in str(each.get(key) or "").casefold() for key in SEARCHED)]
        key = str(asked.get("sort") or "firstName")
        if key not in _FIELDS:
            key = "firstName"
        found.sort(key=lambda each: _sortable(each.get(key)), reverse=asked.get("order") == "DESC")
        return found

    def _list(self) -> list[tuple[datetime, Record]]:
        """Give what the API shows now: the newest of each transaction, with the instant of its last change."""
        shown: dict[str, tuple[datetime, Record]] = {}
        for update in self.updates:
            if update.at > self.now:
                break
            shown[str(update.record["transactionId"])] = (update.at, update.record)
        return list(shown.values())

    def _is_in(self, changed: datetime, record: Record, start: datetime | None, end: datetime | None) -> bool:
        field_name = {"started": "dateStarted", "completed": "dateCompleted"}.get(self.switches.filter_on)
        at = changed if field_name is None else _instant(record.get(field_name))
        if at is None:
            return self.switches.undated == "in"
        if start is not None and at < start:
            return False
        return end is None or at < end or (self.switches.end_inclusive and at == end)

    def truth(self) -> dict[str, Record]:
        """Give the newest record of each registration by now."""
        return {update.record["registration"]: update.record for update in self.updates if update.at <= self.now}

    def completions(self) -> dict[str, Record]:
        """Give the record of each completed registration by now."""
        return {name: record for name, record in self.truth().items() if record.get("dateCompleted")}


_KINDS = ("started", "progressed", "completions")
_FIELDS = (
    "transactionId",
    "firstName",
    "lastName",
    "email",
    "memberIdentifier",
    "activityId",
    "activityTitle",
    "registration",
    "dateStarted",
    "progress",
    "dateCompleted",
    "completionCode",
)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def tell(self, body: bytes) -> tuple[int, bytes]:
        raise NotImplementedError

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, answer = (404, b"{}") if self.path != PATH else self.tell(body)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""


def _instant(value: object) -> datetime | None:
    if not value:
        return None
    at = datetime.fromisoformat(str(value))
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _sortable(value: object) -> tuple[int, float, str]:
    if isinstance(value, int | float):
        return 1, float(value), ""
    return 0, 0.0, str(value or "").casefold()


def _happen(switches: Switches) -> Iterator[Update]:
    """Make up what happens: starts, progress in steps, completions, some learners more than once."""
    chance = random.Random(switches.seed)  # noqa: S311 - the same each time
    learners = [_learner(chance, number) for number in range(max(2, switches.registrations * 2 // 3))]
    stories: list[tuple[datetime, int, int]] = []  # instant, registration, progress
    for number in range(switches.registrations):
        at = switches.start + timedelta(seconds=chance.randrange(1, switches.days * 86_400))
        progress = 0
        stories.append((at, number, progress))
        while progress < 100 and chance.random() > 0.12:
            progress = min(100, progress + chance.choice((5, 10, 25, 50, 100)))
            at += timedelta(seconds=chance.choice((30, 600, 7_200, 86_400, 700_000, 3_000_000)) + chance.randrange(60))
            stories.append((at, number, progress))
    stories.sort()
    owners = [chance.choice(learners) for _ in range(switches.registrations)]
    titles = [chance.choice(TITLES) for _ in range(switches.registrations)]
    names = [_registration(chance, number, switches) for number in range(switches.registrations)]
    codes = [_code(chance, switches) for _ in range(switches.registrations)]
    started: dict[int, datetime] = {}
    for transaction, (at, number, progress) in enumerate(stories, start=70_001):
        started.setdefault(number, at)
        done = progress == 100
        record = {
            "transactionId": transaction if switches.transactions == "per_update" else 9_000 + number,
            **owners[number],
            "activityId": f"https://lms.example.invalid/a/{TITLES.index(titles[number])}",
            "activityTitle": titles[number],
            "registration": names[number],
            "dateStarted": f"{started[number]:%Y-%m-%dT%H:%M:%S}",
            "progress": progress,
            "dateCompleted": f"{at:%Y-%m-%dT%H:%M:%S}" if done else "",
            "completionCode": codes[number] if done else "",
        }
        if switches.odd:
            _make_odd(record, chance)
        yield Update(at, "completions" if done else "progressed" if progress else "started", record)


def _learner(chance: random.Random, number: int) -> Record:
    return {
        "firstName": chance.choice(FIRST_NAMES),
        "lastName": chance.choice(LAST_NAMES),
        "email": f"learner.{number}@example.invalid",
        "memberIdentifier": f"{100_000 + number}" if number % 5 else "",
    }


def _registration(chance: random.Random, number: int, switches: Switches) -> str:
    if switches.odd and number % 17 == 0:
        return f"44590u89-111a-6859-b899-3940dhbk{number}"  # the page's own sample is no UUID either
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _code(chance: random.Random, switches: Switches) -> str:
    if switches.odd and chance.random() < 0.05:
        return "Fake Code"
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _make_odd(record: Record, chance: random.Random) -> None:
    """Write a record as oddly as the vendor's sample client of 2017 shows."""
    if chance.random() < 0.5:
        record["transactionId"] = str(record["transactionId"])
    if chance.random() < 0.5:
        record["progress"] = str(record["progress"])
    for key in ("dateStarted", "dateCompleted"):
        if record[key]:
            record[key] += chance.choice(("", "Z", ".000", ".0000000", ".000Z"))
    for key in ("memberIdentifier", "dateCompleted", "completionCode"):
        if not record[key]:
            choice = chance.randrange(3)
            if choice == 0:
                record[key] = None
            elif choice == 1:
                del record[key]
    if chance.random() < 0.3:
        record["region"] = {"name": "north", "codes": [1, 2]}
