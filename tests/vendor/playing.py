"""Plays days of runs against the sandbox, and holds every claim against the truth.

The sandbox is asked through httpx's transport, without sockets, so a play is quick and the same each time. What a run
yields is committed batch by batch to a small stand-in for the warehouse; a killed run loses what was not yet yielded.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from progress_pipeline.clock import frozen_clock
from progress_pipeline.sandbox.config import SandboxConfig
from progress_pipeline.sandbox.instants import from_us, to_us
from progress_pipeline.sandbox.listing import NO_INSTANT, Question
from progress_pipeline.sandbox.server import API_PATH, Sandbox
from progress_pipeline.sandbox.world import JUNK
from progress_pipeline.vendor.answers import Answers
from progress_pipeline.vendor.asking import BATCH_SCHEMA, Batch, Outcome, WindowAttempt, carry_out
from progress_pipeline.vendor.client import VendorClient
from progress_pipeline.vendor.ledger import Call, CallLedger
from progress_pipeline.vendor.planning import Ask, KnownState, ProvenWindow, StartedDay, UnprovenWindow, plan_daily
from progress_pipeline.vendor.records import read_page
from progress_pipeline.vendor.staleness import staleness
from progress_pipeline.vendor.windows import Window

FAILING = {"timeout": httpx.ReadTimeout, "reset": httpx.ReadError, "half_answer": httpx.RemoteProtocolError}


class KilledError(BaseException):
    """Stands for SIGKILL: nothing catches it."""


class SandboxTransport(httpx.BaseTransport):
    """Asks a sandbox without a socket, and can make it forget how to sort, or kill the asker.

    Args:
        sandbox: Who is asked.
        sorts: Values of `sort` that it takes; all others are taken for lastName. None leaves them to the sandbox.
        kill_at: The call, counted from 1, in which the asker is killed.
    """

    def __init__(self, sandbox: Sandbox, *, sorts: frozenset[str] | None = None, kill_at: int | None = None) -> None:
        self._sandbox, self._sorts, self._kill_at = sandbox, sorts, kill_at
        self.calls = 0
        self.held_back: dict[int, frozenset[int]] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        asked = json.loads(request.read())
        if self._sorts is not None and asked.get("sort") not in self._sorts:
            asked["sort"] = "lastName"
        self.calls += 1
        sent = self._sandbox._answer("POST", API_PATH, json.dumps(asked).encode())
        self.held_back[self.calls] = frozenset(self._sandbox._api.shown.drift.held_back)
        if self.calls == self._kill_at:
            raise KilledError
        if sent.fault in FAILING:
            raise FAILING[sent.fault](f"the sandbox's fault {sent.fault}", request=request)
        body = sent.body[: len(sent.body) * 2 // 3] if sent.fault == "cut_json" else sent.body
        return httpx.Response(sent.status, headers=[("Content-Type", sent.content_type), *sent.headers], content=body)


SAID = list(BATCH_SCHEMA.names[: BATCH_SCHEMA.names.index("position")])
"""The columns that hold what a record said."""


@dataclass
class Row:
    """The newest version of a transaction in the stand-in warehouse."""

    record: dict[str, str | None]
    registration: str
    started: date | None
    is_open: bool


@dataclass
class Day:
    """What one run did.

    Attributes:
        at: When it was.
        asks: Its plan.
        calls: Its calls.
        attempts: Its attempts.
        outcome: How it ended; None if it was killed.
    """

    at: datetime
    asks: list[Ask]
    calls: list[Call]
    attempts: list[WindowAttempt]
    outcome: Outcome | None

    def count(self, purpose: str) -> int:
        """Give the calls for a purpose."""
        return sum(call.purpose == purpose for call in self.calls)


@dataclass
class Play:
    """Days of runs against one sandbox.

    Attributes:
        folder: Where the ledger stands.
        sandbox: The vendor's double.
        rows: The stand-in warehouse's current records, by transaction.
        proven: Windows proven and committed.
        unproven: Windows asked in vain.
        wrong_claims: Windows that were called covered and were not, with what was missing.
        days: What each run did.
    """

    folder: Path
    sandbox: Sandbox
    rows: dict[str, Row] = field(default_factory=dict)
    proven: list[ProvenWindow] = field(default_factory=list)
    unproven: list[UnprovenWindow] = field(default_factory=list)
    wrong_claims: list[str] = field(default_factory=list)
    days: list[Day] = field(default_factory=list)

    def __init__(self, folder: Path, **switches: Any) -> None:
        own = {name: switches.pop(name, default) for name, default in _OWN.items()}
        small = {"registrations": 60, "days": 20} | switches
        self.folder, self.sandbox = folder, Sandbox(SandboxConfig(**small))
        self.page_size, self.lookback = own["page_size"], timedelta(days=own["lookback_days"])
        self.daily_calls, self.sorts, self.newest_first = own["ledger_calls"], own["sorts"], own["newest_first"]
        self.rows, self.proven, self.unproven, self.wrong_claims, self.days = {}, [], [], [], []

    @property
    def now(self) -> datetime:
        """The sandbox's time."""
        return self.sandbox.clock()

    def ledger(self, clock: Callable[[], datetime] | None = None) -> CallLedger:
        """Open the play's ledger."""
        path = self.folder / "calls.sqlite"
        return CallLedger(path, daily_calls=self.daily_calls, count_day="rolling", clock=clock or self.sandbox.clock)

    def state(self) -> KnownState:
        """Give what the stand-in warehouse knows."""
        days: dict[date, list[int]] = {}
        undated = 0
        for row in self.rows.values():
            if row.started is None:
                undated += row.is_open
            else:
                counts = days.setdefault(row.started, [0, 0])
                counts[0] += row.is_open
                counts[1] += 1
        started = tuple(StartedDay(day, *counts) for day, counts in sorted(days.items()))
        return KnownState(tuple(self.proven), tuple(self.unproven), started, undated)

    def run(self, *, kill_at: int | None = None, asks: list[Ask] | None = None) -> Day:
        """Run once, as of the sandbox's time; with `kill_at`, it is killed in that call."""
        clock = frozen_clock(self.now)
        transport = SandboxTransport(self.sandbox, sorts=self.sorts, kill_at=kill_at)
        with (
            self.ledger(clock) as ledger,
            VendorClient("http://127.0.0.1/", self.sandbox.token, ledger, clock=clock, transport=transport) as client,
        ):
            before = ledger.last_call_id()
            answers = Answers.load(ledger)
            plan = self.plan(answers) if asks is None else asks
            work = carry_out(client, plan, answers=answers, page_size=self.page_size, newest_first=self.newest_first)
            day = Day(clock(), plan, [], [], None)
            try:
                for batch in work:
                    self._commit(batch, day, transport, before)
                day.outcome = work.outcome
            except KilledError:
                pass
            day.calls = ledger.calls_since(before)
        self.days.append(day)
        return day

    def plan(self, answers: Answers) -> list[Ask]:
        """Plan a day."""
        return plan_daily(
            self.state(),
            start_at=self.sandbox.config.start_at,
            now=self.now,
            lookback=self.lookback,
            page_size=self.page_size,
            answers=answers,
            newest_first=self.newest_first,
        )

    def promised_days(self) -> int:
        """Give within how many days `status` says that a change on the oldest open record is seen; 0 if it does not."""
        state = self.state()
        opened = [one.day for one in state.started_days if one.open_count]
        with self.ledger() as ledger:
            promise = staleness(
                state, Answers.load(ledger), now=self.now, daily_calls=self.daily_calls, page_size=self.page_size
            )
        bound = promise.bound(timedelta(days=(self.now.date() - min(opened)).days)) if opened else None
        return 0 if bound is None else ceil(bound / timedelta(days=1))

    def play(self, days: int) -> None:
        """Run each day, and let a day go by after each."""
        for _ in range(days):
            self.run()
            self.sandbox.clock.move(timedelta(days=1))

    def _commit(self, batch: Batch, day: Day, transport: SandboxTransport, before: int) -> None:
        for record in batch.records.to_pylist():
            started = (record["date_started"] or "")[:10]
            self.rows[record["transaction_id"]] = Row(
                {name: record[name] for name in SAID},
                record["registration"],
                date.fromisoformat(started) if started else None,
                not record["date_completed"],
            )
        for attempt in batch.windows:
            day.attempts.append(attempt)
            window = Window(attempt.window_start, attempt.window_end)
            if attempt.is_complete and attempt.search is None:
                rows, purpose = attempt.distinct_rows, attempt.purpose
                self.proven.append(ProvenWindow(window, attempt.attempted_at, rows, purpose))
                self._judge(attempt, transport.held_back.get((attempt.first_call_id or 0) - before, frozenset()))
            elif attempt.search is None:
                self.unproven.append(UnprovenWindow(window, attempt.attempted_at))

    def _judge(self, attempt: WindowAttempt, held_back: frozenset[int]) -> None:
        """Hold a claim against what the API listed when its first call was made."""
        listing, world = self.sandbox._api.shown.listing, self.sandbox._world
        at = to_us(attempt.attempted_at)
        dates = listing._dates
        is_in = (dates >= to_us(attempt.window_start)) & (dates < to_us(attempt.window_end))
        is_in &= listing.is_shown(at) & (world.kind != JUNK) & ~self.sandbox._api.shown.renderer.garbled
        missing = [
            str(world.transaction_ids[row])
            for row in np.flatnonzero(is_in).tolist()
            if row not in held_back and str(world.transaction_ids[row]) not in self.rows
        ]
        if missing:
            span = f"{attempt.window_start:%m-%d %H:%M:%S} to {attempt.window_end:%m-%d %H:%M:%S}"
            self.wrong_claims.append(f"{span} ({attempt.proof}), asked {attempt.attempted_at}: {missing[:5]}")

    def differing(self) -> list[str]:
        """Give the transactions that the API shows now and the stand-in warehouse has not, or has otherwise."""
        shown, config = self.sandbox._api.shown, self.sandbox.config
        question = Question(start_at=to_us(config.start_at), end_at=self.sandbox.clock.microseconds())
        rows = shown.listing.select(question, self.sandbox.clock.microseconds()).tolist()
        body = b"[" + b",".join(shown.renderer.write(rows)) + b"]"
        page = read_page(body).records.select(SAID).to_pylist()
        return [
            one["transaction_id"]
            for one in page
            if one["transaction_id"] not in self.rows or self.rows[one["transaction_id"]].record != one
        ]

    def shown(self) -> int:
        """Give how many rows the API shows now."""
        return int(self.sandbox._api.shown.listing.is_shown(to_us(self.now)).sum())

    def without_reason(self, days: int) -> list[str]:
        """Give those of `differing` of which nothing says that they are not proven, and why.

        It is said by the newest attempt that asked for them, or by any of the last days; where none did, by a run of
        these days that was stopped before it came to them.
        """
        since = self.now - timedelta(days=days)
        attempts = [
            (to_us(one.window_start), to_us(one.window_end), not one.is_complete and bool(one.reason), day.at >= since)
            for day in self.days
            for one in day.attempts
        ]
        is_stopped = any(day.at >= since and (day.outcome is None or day.outcome.how != "done") for day in self.days)
        listing, ids = self.sandbox._api.shown.listing, self.sandbox._world.transaction_ids
        dates = {str(ids[row]): int(at) for row, at in enumerate(listing._dates)}
        silent = []
        for name in self.differing():
            at = dates[name]
            # What has no date comes with every window.
            about = [(says, is_new) for start, end, says, is_new in attempts if start <= at < end or at == NO_INSTANT]
            is_said = about[-1][0] or any(says and is_new for says, is_new in about) if about else is_stopped
            if not is_said:
                silent.append(name)
        return silent

    def most_calls_of_24_hours(self) -> int:
        """Give the most calls that the vendor counted in any 24 hours."""
        at = sorted(to_us(call.at) for call in self.sandbox._api.calls if call.is_counted)
        day = to_us(from_us(0) + timedelta(days=1))
        return max(
            (sum(begin <= other < begin + day for other in at[index:]) for index, begin in enumerate(at)), default=0
        )


_OWN: dict[str, Any] = {
    "page_size": 20,
    "lookback_days": 2,
    "ledger_calls": 500,
    "sorts": None,
    "newest_first": False,
}

START = datetime(2026, 1, 1, tzinfo=UTC)
