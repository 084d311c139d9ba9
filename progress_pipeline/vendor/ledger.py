"""The calls ledger: every call is written here before it leaves, and the day's last call is the last.

One SQLite file that all processes share. A call is reserved under an immediate transaction, synced to disk, and only
then sent; so over any number of processes, restarts and kills the vendor never sees more calls in a day than it
grants. A call that was never finished (its process was killed) counts. Which calls count towards a day is decided in
`counting`.

A refusal that comes in spite of all this (another client uses the same token) is believed: until it is over no call
leaves.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from progress_pipeline.clock import Clock, system_clock
from progress_pipeline.errors import CallsUsedUpError
from progress_pipeline.vendor.calls import Call, Finish, from_us, to_us
from progress_pipeline.vendor.counting import (
    DAY,
    LONG_DAY,
    ROLLING,
    Purpose,
    clocks_were_set_back,
    count_day_at,
    is_late,
    left_for,
    reserves,
)
from progress_pipeline.vendor.ledger_file import LedgerFile
from progress_pipeline.vendor.windows import Window

__all__ = ["Call", "CallLedger", "Finish", "Purpose"]

LONGEST_CALL = timedelta(minutes=10)
"""A call that never ended may have reached the vendor this long after it was counted."""
BELIEVED = timedelta(hours=12)
"""How long a refusal without a Retry-After is believed where the count day never ends."""


class CallLedger(LedgerFile):
    """The ledger; a context manager. Safe to open in many processes at once.

    Args:
        path: Its file; it and its folder are made if absent.
        daily_calls: Calls that the vendor grants in a day.
        count_day: When its day begins: `rolling`, or a time zone.
        clock: Gives the instant by which calls are counted.
    """

    def __init__(self, path: Path, *, daily_calls: int, count_day: str = ROLLING, clock: Clock = system_clock) -> None:
        super().__init__(path, clock)
        self.daily_calls = daily_calls
        self.count_day = count_day
        self._needed: dict[Purpose, int] = {}

    def expect(self, needed: Mapping[Purpose, int]) -> None:
        """Say what purposes will need at most in this run, so that no more is kept for them."""
        self._needed = dict(needed)

    def reserve(self, purpose: Purpose, window: Window | None, request: Mapping[str, object]) -> int:
        """Count a call before it leaves.

        Args:
            purpose: What it is for.
            window: The span that it asks for.
            request: What is asked, without the token.

        Returns:
            The call's number, ascending over all time.

        Raises:
            CallsUsedUpError: The day, or what it keeps for this purpose, is used up; nothing was counted.
        """
        now = self.clock()
        with self.transaction() as connection:
            self._hold_back(purpose, now)
            cursor = connection.execute(
                "insert into calls (purpose, window_start, window_end, request, counted_at, real_at, held_until) "
                "values (?, ?, ?, ?, ?, ?, ?)",
                (
                    purpose.value,
                    to_us(window.start) if window else None,
                    to_us(window.end) if window else None,
                    json.dumps(request, sort_keys=True, ensure_ascii=False),
                    to_us(now),
                    to_us(system_clock()),
                    to_us(now + LONGEST_CALL),
                ),
            )
        if cursor.lastrowid is None:
            raise RuntimeError("SQLite gave no row number")
        return cursor.lastrowid

    def _hold_back(self, purpose: Purpose, now: datetime) -> None:
        until = self.refused_until()
        if until is not None:
            raise CallsUsedUpError(
                "The vendor refused a call because its limit is reached, in spite of the ledger (is the token used "
                f"elsewhere?). No call leaves before {until:%Y-%m-%d %H:%M} UTC; the next run continues."
            )
        if self._left(purpose, now) <= 0:
            used = sum(self._used(now).values())
            kept = self.daily_calls - used
            rest = f"; the other {kept} are kept for other purposes" if kept > 0 else ""
            raise CallsUsedUpError(
                f"The calls for {purpose.value} are used up: {used} of {self.daily_calls} of the day "
                f"({self.count_day}){rest}. The next run continues where this one stops."
            )

    def finish(self, call_id: int, finish: Finish) -> None:
        """Write down how a call ended."""
        now = self.clock()
        # Should this not reach the disk, the call counts as one that never ended, which is safe; so it needs no sync.
        self._connection.execute("pragma synchronous = normal")
        with self.transaction() as connection:
            connection.execute(
                "update calls set finished_at = ?, held_until = max(counted_at, ?), outcome = ?, http_status = ?, "
                "row_count = ?, vendor_count = ?, byte_count = ?, sha256 = ?, duration_seconds = ?, error = ? "
                "where call_id = ?",
                (
                    to_us(now),
                    to_us(now),
                    finish.outcome,
                    finish.http_status,
                    finish.row_count,
                    finish.vendor_count,
                    finish.byte_count,
                    finish.sha256,
                    finish.duration_seconds,
                    finish.error,
                    call_id,
                ),
            )
        self._connection.execute("pragma synchronous = full")

    def refuse(self, said: str, retry_after: timedelta | None) -> datetime:
        """Believe the vendor that its limit is reached, and hold all calls back until it is over.

        Args:
            said: What the vendor said.
            retry_after: How long it asked to wait, where it did.

        Returns:
            The instant until which no call leaves.
        """
        now = self.clock()
        day = count_day_at(self.count_day, now)
        longest = day.ends_at or now + DAY
        until = min(now + retry_after, longest) if retry_after is not None else day.ends_at or now + BELIEVED
        with self.transaction() as connection:
            connection.execute("insert into refusals values (?, ?, ?)", (to_us(now), to_us(until), said))
        return until

    def refused_until(self) -> datetime | None:
        """Give the instant until which the vendor refuses calls; None if it does not."""
        now = self.clock()
        row = self._connection.execute(
            "select max(until_at) from refusals where until_at > ? and refused_at <= ?", (to_us(now), to_us(now))
        ).fetchone()
        return from_us(row[0])

    def has_failed(self, within: timedelta) -> bool:
        """Say whether a call failed of late."""
        since = to_us(self.clock() - within)
        row = self._connection.execute(
            "select 1 from calls where held_until > ? and outcome = 'failed' limit 1", (since,)
        ).fetchone()
        return row is not None

    def used(self) -> int:
        """Give the calls that count towards the day that holds the present instant."""
        return sum(self._used(self.clock()).values())

    def left(self, purpose: Purpose | None = None) -> int:
        """Give the calls that the day has left, or has left for a purpose."""
        now = self.clock()
        return 0 if self.refused_until() is not None else self._left(purpose, now)

    def granted(self, purpose: Purpose) -> int:
        """Give the calls that a whole day has for a purpose, if nothing is lent."""
        return left_for(purpose, self.daily_calls, {}, reserves(self.daily_calls, self._needed), lends=frozenset())

    def _left(self, purpose: Purpose | None, now: datetime) -> int:
        used = self._used(now)
        left = max(0, self.daily_calls - sum(used.values()))
        if purpose is None:
            return left
        lends: frozenset[Purpose] = frozenset()
        if is_late(self.count_day, now):
            lends = frozenset(Purpose) - ({Purpose.DAILY} if self.count_day == ROLLING else set())
        return left_for(purpose, left, used, reserves(self.daily_calls, self._needed), lends=lends)

    def _used(self, now: datetime) -> dict[Purpose, int]:
        day = count_day_at(self.count_day, now)
        used = self._counted(day.since, day.until)
        if self.count_day == ROLLING and sum(used.values()) < self.daily_calls:
            ((longer,),) = self._connection.execute(
                "select count(*) from calls where held_until > ? and counted_at < ?",
                (to_us(now - LONG_DAY), to_us(now + LONG_DAY)),
            )
            # The list of zones is long, so it is looked at only where the 25th hour decides.
            hour = now.replace(minute=0, second=0, microsecond=0)
            if longer >= self.daily_calls and clocks_were_set_back(hour):
                return self._counted(now - LONG_DAY, now + LONG_DAY)
        return used

    def _counted(self, since: datetime, until: datetime) -> dict[Purpose, int]:
        rows = self._connection.execute(
            "select purpose, count(*) from calls where held_until > ? and counted_at < ? group by purpose",
            (to_us(since), to_us(until)),
        ).fetchall()
        return {Purpose(purpose): count for purpose, count in rows}
