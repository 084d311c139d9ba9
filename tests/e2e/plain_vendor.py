"""A vendor that speaks the vendor's page and nothing else, on the standard library alone.

It shares no code with `progress_pipeline.sandbox`, so that a misreading there is not repeated here. A year of learners
happens by itself, from a seed; the test sets the clock. What the page leaves open is a switch. It knows the truth.
"""

import json
import random
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal, Self

from tests.e2e.plain_speech import PATH, Speech, handler
from tests.e2e.plain_world import Record, Transactions, Update, happen

TOKEN = "f7e1379c-35ad-45f9-b0fa-6ef011e73938"
SEARCHED = ("firstName", "lastName", "email", "activityTitle", "registration", "completionCode")
KINDS = ("started", "progressed", "completions")
ASKED_FOR = {"token", "start", "number", "search", "completed", "startDate", "endDate", "sort", "order"}
"""What the page's sample request holds."""


@dataclass(frozen=True)
class Switches:
    """What the vendor's page leaves open, and how much happens.

    Attributes:
        registrations: Learners' instances of an activity, over the whole span.
        start: First instant of the span.
        days: Its length.
        transactions: Whether a registration keeps one transaction, or each update gets one of its own.
        listed: Whether each transaction is listed, or a registration's newest alone.
        filter_on: The date that the asked range is held against.
        start_inclusive: Whether startDate itself is in.
        end_inclusive: Whether endDate itself is in.
        undated: Whether a record without that date is in every range, or in none.
        hours_ahead: By how much the zone in which it reads dates is ahead of UTC; other than 0, `Z` is ignored.
        sort: Whether `sort` by any field is obeyed, by firstName and lastName alone, not at all, or refused with 400.
        ties: Whether rows of equal sort keys keep their order, or have another in each answer.
        is_strict: Whether a request that is not written as in the page's sample is refused with 400.
        shows: What has happened by the clock, or everything from the beginning.
        daily_calls: Calls in a UTC day.
        page_cap: Most records in an answer, silently; none if None.
        speech: How it writes.
        odd: Whether ids and codes are as odd as in the vendor's samples; records are then written oddly too.
        landing: Folder that gets webhook bodies as `*.json`; none if None.
        lost_share: Webhook bodies that are lost.
        silence: Days after the start, from and to, in which every webhook body is lost.
        seed: Everything made up follows from it.
    """

    registrations: int = 200
    start: datetime = datetime(2025, 1, 1, tzinfo=UTC)
    days: int = 365
    transactions: Transactions = "in_place"
    listed: Literal["all", "newest"] = "all"
    filter_on: Literal["changed", "started", "completed"] = "changed"
    start_inclusive: bool = True
    end_inclusive: bool = False
    undated: Literal["in", "out"] = "in"
    hours_ahead: int = 0
    sort: Literal["any", "names", "ignored", "refused"] = "any"
    ties: Literal["kept", "shuffled"] = "kept"
    is_strict: bool = False
    shows: Literal["happened", "everything"] = "happened"
    daily_calls: int = 500
    page_cap: int | None = None
    speech: Speech = field(default_factory=Speech)
    odd: bool = False
    landing: Path | None = None
    lost_share: float = 0.0
    silence: tuple[float, float] = (0.0, 0.0)
    seed: int = 1


@dataclass
class Vendor:
    """The vendor: a context manager that serves on loopback.

    Attributes:
        switches: As above.
        now: The vendor's clock.
        calls: Requests that came with a good token, by UTC day of that clock.
        refused: Requests beyond the day's calls.
        malformed: Requests that were not as the page says.
        lost: Webhook bodies that were lost.
    """

    switches: Switches
    updates: list[Update] = field(default_factory=list)
    now: datetime = datetime(1, 1, 1, tzinfo=UTC)
    calls: dict[str, int] = field(default_factory=dict)
    refused: int = 0
    malformed: int = 0
    lost: int = 0

    def __post_init__(self) -> None:
        of = self.switches
        if not self.updates:
            self.updates = _happen(of)
        self.speech = Speech(odd=True, envelope=of.speech.envelope) if of.odd else of.speech
        self.now = of.start
        self._pushed = 0
        self._lock = threading.Lock()
        self._random = random.Random(of.seed + 1)  # noqa: S311 - the same each time
        self._visible: list[tuple[datetime, Record]] = []
        self._visible_at: datetime | None = None

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self.speech, self.answer))
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
        body = {kind: [self.speech.record(each.record) for each in bundle if each.kind == kind] for kind in KINDS}
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
            if wrong := self._wrong(asked):
                self.malformed += 1
                return 400, json.dumps({"error": wrong}).encode()
            rows = self._select(asked)
        first, number = int(asked.get("start") or 0), int(asked.get("number") or 100)
        page = rows[first : first + min(number, self.switches.page_cap or number)]
        return self.speech.page(page, len(rows))

    def _wrong(self, asked: Mapping[str, Any]) -> str:
        if self.switches.sort == "refused" and asked.get("sort") not in {None, "firstName", "lastName"}:
            return "sort"
        if not self.switches.is_strict:
            return ""
        if unknown := asked.keys() - ASKED_FOR:
            return f"unknown {sorted(unknown)}"
        kinds = {"start": int, "number": int, "search": str, "completed": bool, "startDate": str, "endDate": str}
        for key, kind in kinds.items():
            if type(asked.get(key)) is not kind:
                return f"{key} is not {kind.__name__}"
        try:
            start, end = (datetime.strptime(asked[key], "%Y-%m-%dT%H:%M:%S.%fZ") for key in ("startDate", "endDate"))  # noqa: DTZ007
        except ValueError:
            return "not a date"
        return "" if start < end and asked.get("order") in {"ASC", "DESC"} else "order"

    def _select(self, asked: Mapping[str, Any]) -> list[Record]:
        at = self.updates[-1].at if self.switches.shows == "everything" else self.now
        if self._visible_at != at:
            self._visible, self._visible_at = self._list(at), at
        start, end = (self._instant(asked.get(key)) for key in ("startDate", "endDate"))
        found = [record for changed, record in self._visible if self._is_in(changed, record, start, end)]
        if asked.get("completed") is True:
            found = [record for record in found if record["dateCompleted"]]
        if term := str(asked.get("search") or "").casefold():
            found = [each for each in found if any(term in str(each[key] or "").casefold() for key in SEARCHED)]
        if self.switches.ties == "shuffled":
            self._random.shuffle(found)
        key = str(asked.get("sort") or "firstName")
        if self.switches.sort in {"names", "refused"} and key not in {"firstName", "lastName"}:
            key = "firstName"
        if self.switches.sort != "ignored":
            key = key if not found or key in found[0] else "firstName"
            found.sort(key=lambda each: _sortable(each[key]), reverse=asked.get("order") == "DESC")
        return found

    def _instant(self, value: object) -> datetime | None:
        """Read a date of a request."""
        if not value:
            return None
        at = datetime.fromisoformat(str(value))
        if self.switches.hours_ahead:
            return at.replace(tzinfo=UTC) - timedelta(hours=self.switches.hours_ahead)
        return at if at.tzinfo else at.replace(tzinfo=UTC)

    def _list(self, until: datetime) -> list[tuple[datetime, Record]]:
        """Give what the API shows: the newest of each transaction, with the instant of its last change."""
        key = "transactionId" if self.switches.listed == "all" else "registration"
        shown: dict[str, tuple[datetime, Record]] = {}
        for update in self.updates:
            if update.at > until:
                break
            shown[str(update.record[key])] = (update.at, update.record)
        return list(shown.values())

    def _is_in(self, changed: datetime, record: Record, start: datetime | None, end: datetime | None) -> bool:
        field_name = {"started": "dateStarted", "completed": "dateCompleted"}.get(self.switches.filter_on)
        at = changed if field_name is None else record[field_name]
        if at is None:
            return self.switches.undated == "in"
        if start is not None and (at < start or (at == start and not self.switches.start_inclusive)):
            return False
        return end is None or at < end or (self.switches.end_inclusive and at == end)

    def truth(self) -> dict[str, Record]:
        """Give the newest record of each registration by now."""
        return {
            update.record["registration"]: update.record
            for update in self.updates
            if update.at <= self.now or self.switches.shows == "everything"
        }

    def completions(self) -> dict[str, Record]:
        """Give the record of each completed registration by now."""
        return {name: record for name, record in self.truth().items() if record["dateCompleted"]}


def _happen(of: Switches) -> list[Update]:
    return list(
        happen(
            registrations=of.registrations,
            start=of.start,
            days=of.days,
            transactions=of.transactions,
            odd=of.odd,
            seed=of.seed,
        )
    )


def _sortable(value: object) -> tuple[int, float, str]:
    if isinstance(value, datetime):
        return 1, value.timestamp(), ""
    if isinstance(value, int | float):
        return 1, float(value), ""
    return 0, 0.0, str(value or "").casefold()
