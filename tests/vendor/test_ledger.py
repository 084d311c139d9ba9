"""The day's last call is the last: over restarts, processes, kills, and every way in which a day may be counted."""

import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from progress_pipeline.errors import CallsUsedUpError
from progress_pipeline.vendor.ledger import LONGEST_CALL, CallLedger, Finish, Purpose
from progress_pipeline.vendor.windows import Window
from tests.vendor.conftest import NOON, MakeLedger

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WINDOW = Window(NOON - DAY, NOON)
ANSWERED = Finish("answered", http_status=200, row_count=3)


class Moving:
    """A clock that a test moves."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Give the instant."""
        return self.now


def _call(ledger: CallLedger, purpose: Purpose = Purpose.DAILY) -> int:
    number = ledger.reserve(purpose, WINDOW, {"start": 0})
    ledger.finish(number, ANSWERED)
    return number


def _calls_until_held_back(ledger: CallLedger, purpose: Purpose = Purpose.DAILY) -> int:
    calls = 0
    while True:
        try:
            _call(ledger, purpose)
        except CallsUsedUpError:
            return calls
        calls += 1


def test_the_501st_call_never_leaves(make_ledger: MakeLedger) -> None:
    """Whoever asks, for whatever purpose, in whichever order: 500 are counted, and then none."""
    ledger = make_ledger(clock=Moving(NOON))
    calls = sum(_calls_until_held_back(ledger, purpose) for purpose in reversed(Purpose))
    assert calls == ledger.used() == 500
    assert [ledger.left(purpose) for purpose in Purpose] == [0] * 6
    assert ledger.last_call_id() == 500


def test_a_restart_forgets_no_call(make_ledger: MakeLedger) -> None:
    """Each call is made by a ledger that was opened for it alone; the fifth of four never leaves."""
    for number in range(1, 5):
        assert _call(make_ledger(daily_calls=4)) == number
    with pytest.raises(CallsUsedUpError, match=r"4 of 4 of the day \(rolling\)\. The next run continues"):
        _call(make_ledger(daily_calls=4))


_MANY = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from progress_pipeline.errors import CallsUsedUpError
from progress_pipeline.vendor.ledger import CallLedger, Purpose
ledger = CallLedger(Path(sys.argv[1]), daily_calls=50, clock=lambda: datetime(2026, 3, 1, 19, tzinfo=UTC))
sys.stdin.readline()
calls = 0
try:
    while True:
        ledger.reserve(Purpose.DAILY, None, {})
        calls += 1
except CallsUsedUpError:
    print(calls)
"""


def test_several_processes_at_once_share_one_day(tmp_path: Path) -> None:
    """Three processes that begin at the same moment count 50 calls together, not each."""
    path = tmp_path / "calls.sqlite"
    processes = [
        subprocess.Popen(  # noqa: S603 - this test's own lines
            [sys.executable, "-c", _MANY, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    counted = [int(process.communicate(timeout=60)[0]) for process in processes]
    assert sum(counted) == 50, counted


def test_many_open_a_new_file_at_the_same_moment(tmp_path: Path) -> None:
    """None of them finds it locked: each waits for its turn."""
    for number in range(40):
        ready = threading.Barrier(8)

        def opened(path: Path, ready: threading.Barrier = ready) -> int:
            ready.wait()
            with CallLedger(path, daily_calls=4) as ledger:
                return ledger.last_call_id()

        with ThreadPoolExecutor(8) as threads:
            assert set(threads.map(opened, [tmp_path / f"{number}.sqlite"] * 8)) == {0}


def test_a_call_is_on_disk_before_it_leaves_by_one_sync(tmp_path: Path) -> None:
    """The file has a log that is written ahead, and what is reserved is in it whole: it can be read with the file."""
    path = tmp_path / "calls.sqlite"
    with CallLedger(path, daily_calls=4) as ledger:
        call_id = ledger.reserve(Purpose.DAILY, None, {})
        copied = tmp_path / "copy"
        copied.mkdir()
        for file in tmp_path.glob("calls.sqlite*"):
            shutil.copy(file, copied)
        assert (tmp_path / "calls.sqlite-wal").stat().st_size > 0
    with CallLedger(copied / "calls.sqlite", daily_calls=4) as ledger:
        assert ledger.last_call_id() == call_id
        assert ledger.left() == 3
    assert not (tmp_path / "calls.sqlite-wal").exists()


_KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from progress_pipeline.vendor.ledger import CallLedger, Purpose
ledger = CallLedger(Path(sys.argv[1]), daily_calls=4, clock=lambda: datetime(2026, 3, 1, 12, tzinfo=UTC))
ledger.reserve(Purpose.DAILY, None, {})
if sys.argv[2] == "within":
    ledger._connection.execute("begin immediate")
    ledger._connection.execute("update calls set outcome = 'answered'")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("when", ["after", "within"])
def test_a_call_whose_process_was_killed_counts(tmp_path: Path, when: str) -> None:
    """It may have reached the vendor; the ledger opens again, and says of it that it never ended."""
    path = tmp_path / "calls.sqlite"
    for _ in range(2):
        killed = subprocess.run([sys.executable, "-c", _KILLED, path, when], check=False)  # noqa: S603 - the same
        assert killed.returncode == -signal.SIGKILL
    with CallLedger(path, daily_calls=4, clock=lambda: NOON) as ledger:
        assert [call.outcome for call in ledger.calls_since(0)] == ["unfinished"] * 2
        assert _call(ledger) == 3
        assert _call(ledger) == 4
        with pytest.raises(CallsUsedUpError):
            _call(ledger)


def test_a_call_that_is_held_back_is_not_counted(make_ledger: MakeLedger) -> None:
    """What never left is no call."""
    ledger = make_ledger(daily_calls=1)
    assert _calls_until_held_back(ledger) == 1
    assert _calls_until_held_back(ledger) == 0
    assert ledger.used() == ledger.last_call_id() == 1


@pytest.mark.parametrize(
    ("count_day", "begins", "again_at"),
    [
        ("UTC", "2026-03-01T12:00Z", "2026-03-02T00:00Z"),
        ("America/Denver", "2026-01-15T06:00Z", "2026-01-15T07:00Z"),
        ("Europe/Zurich", "2026-10-24T22:05Z", "2026-10-25T23:00Z"),
        ("Europe/Zurich", "2026-03-28T23:05Z", "2026-03-29T22:00Z"),
        ("rolling", "2026-03-01T12:00Z", "2026-03-02T12:00Z"),
        ("rolling", "2026-10-25T00:30Z", "2026-10-26T01:30Z"),
    ],
    ids=["UTC", "a zone", "a day of 25 hours", "a day of 23 hours", "rolling", "rolling, clocks set back"],
)
def test_calls_are_granted_again_when_the_day_is_over_and_not_before(
    make_ledger: MakeLedger, count_day: str, begins: str, again_at: str
) -> None:
    """To the second, in the way in which the day is said to be counted."""
    clock = Moving(datetime.fromisoformat(begins))
    ledger = make_ledger(daily_calls=3, count_day=count_day, clock=clock)
    assert _calls_until_held_back(ledger) == 3
    clock.now = datetime.fromisoformat(again_at) - timedelta(seconds=1)
    assert ledger.left() == 0
    clock.now = datetime.fromisoformat(again_at)
    assert ledger.left() == 3


def test_a_call_on_its_way_at_midnight_counts_for_both_days(make_ledger: MakeLedger) -> None:
    """Nobody knows on which side of midnight the vendor counts it."""
    clock = Moving(datetime(2026, 3, 1, 23, 59, 30, tzinfo=UTC))
    ledger = make_ledger(daily_calls=10, count_day="UTC", clock=clock)
    number = ledger.reserve(Purpose.DAILY, WINDOW, {})
    clock.now += timedelta(minutes=1)
    ledger.finish(number, ANSWERED)
    assert ledger.used() == 1
    clock.now += DAY
    assert ledger.used() == 0


def test_a_call_that_never_ended_is_held_for_as_long_as_it_may_have_taken(make_ledger: MakeLedger) -> None:
    """Ten minutes more than a day, under the rolling count."""
    clock = Moving(NOON)
    ledger = make_ledger(clock=clock)
    ledger.reserve(Purpose.DAILY, WINDOW, {})
    clock.now = NOON + DAY + LONGEST_CALL - timedelta(seconds=1)
    assert ledger.used() == 1
    clock.now += timedelta(seconds=1)
    assert ledger.used() == 0


def test_a_clock_that_was_set_back_grants_nothing_anew(make_ledger: MakeLedger) -> None:
    """Calls of the future count too."""
    clock = Moving(NOON)
    ledger = make_ledger(daily_calls=3, clock=clock)
    assert _calls_until_held_back(ledger) == 3
    clock.now = NOON - timedelta(hours=5)
    assert ledger.left() == 0


ZONES = [ZoneInfo(name) for name in ("UTC", "America/Denver", "Europe/Zurich", "Pacific/Kiritimati")]
GRANT = 3


def _by_day(counted: list[datetime], zone: ZoneInfo) -> int:
    days = [at.astimezone(zone).date() for at in counted]
    return max(map(days.count, days), default=0)


def _by_24_hours(counted: list[datetime]) -> int:
    return max((sum(begin <= at < begin + DAY for at in counted) for begin in counted), default=0)


@settings(max_examples=15, deadline=None)
@given(
    count_day=st.sampled_from(["rolling", "UTC", "America/Denver", "Europe/Zurich"]),
    begins=st.sampled_from(["2026-01-15T12:00Z", "2026-10-24T20:00Z", "2026-10-31T20:00Z", "2026-03-28T20:00Z"]),
    steps=st.lists(st.tuples(st.integers(0, 8 * 60), st.integers(0, 119), st.floats(0, 1)), min_size=8, max_size=16),
)
def test_no_day_of_the_vendors_has_more_calls_than_it_grants(
    count_day: str, begins: str, steps: list[tuple[int, int, float]]
) -> None:
    """Wherever between leaving and ending the vendor counts a call; under `rolling` in any zone and any 24 hours."""
    clock = Moving(datetime.fromisoformat(begins))
    counted: list[datetime] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        CallLedger(Path(folder) / "c.sqlite", daily_calls=GRANT, count_day=count_day, clock=clock) as ledger,
    ):
        for wait, lasts, share in steps:
            clock.now += timedelta(minutes=wait)
            try:
                number = ledger.reserve(Purpose.DAILY, None, {})
            except CallsUsedUpError:
                continue
            counted.append(clock.now + timedelta(seconds=lasts) * share)
            clock.now += timedelta(seconds=lasts)
            ledger.finish(number, ANSWERED)
    if count_day == "rolling":
        assert max(_by_24_hours(counted), *(_by_day(counted, zone) for zone in ZONES)) <= GRANT
    else:
        assert _by_day(counted, ZoneInfo(count_day)) <= GRANT


def test_what_is_kept_for_a_purpose_is_there_for_it_when_others_have_used_theirs(make_ledger: MakeLedger) -> None:
    """A backfill that takes all it may leaves each other purpose its reserve."""
    ledger = make_ledger(daily_calls=50)
    assert _calls_until_held_back(ledger, Purpose.BACKFILL) == 23
    with pytest.raises(CallsUsedUpError, match=r"23 of 50 of the day .* the other 27 are kept for other purposes"):
        _call(ledger, Purpose.BACKFILL)
    reserved = [Purpose.REPAIR, Purpose.PROBE, Purpose.MANUAL, Purpose.RECHECK, Purpose.DAILY]
    assert [_calls_until_held_back(ledger, purpose) for purpose in reserved] == [5, 1, 1, 10, 10]


@pytest.mark.parametrize(
    ("count_day", "early", "late"),
    [("UTC", 228, 500), ("rolling", 228, 400)],
    ids=["all of it, where the day ends", "all but the daily pull's, where it never ends"],
)
def test_late_in_the_day_what_is_unused_is_lent(make_ledger: MakeLedger, count_day: str, early: int, late: int) -> None:
    """From 18:00 on, a backfill may use what nobody else did."""
    clock = Moving(NOON)
    ledger = make_ledger(count_day=count_day, clock=clock)
    assert ledger.left(Purpose.BACKFILL) == early
    clock.now = NOON + 6 * HOUR
    assert ledger.left(Purpose.BACKFILL) == late


@pytest.mark.parametrize(
    ("count_day", "retry_after", "until"),
    [
        ("UTC", None, NOON + 12 * HOUR),
        ("rolling", None, NOON + 12 * HOUR),
        ("UTC", HOUR, NOON + HOUR),
        ("rolling", 30 * HOUR, NOON + DAY),
        ("UTC", 30 * HOUR, NOON + 12 * HOUR),
    ],
)
def test_a_refusal_in_spite_of_the_ledger_is_believed_for_a_day_at_most(
    make_ledger: MakeLedger, count_day: str, retry_after: timedelta | None, until: datetime
) -> None:
    """No call leaves until it is over; the next process knows; then calls leave again."""
    clock = Moving(NOON)
    assert make_ledger(count_day=count_day, clock=clock).refuse("HTTP 429", retry_after) == until
    again = make_ledger(count_day=count_day, clock=clock)
    clock.now = until - timedelta(seconds=1)
    assert again.left() == 0
    with pytest.raises(CallsUsedUpError, match="is the token used elsewhere"):
        _call(again)
    clock.now = until
    assert _call(again) == 1


def test_a_call_is_told_as_it_was_and_knowledge_is_kept(make_ledger: MakeLedger) -> None:
    """What was asked, for what, what came; and what is known of the vendor, over restarts."""
    ledger = make_ledger()
    number = ledger.reserve(Purpose.PROBE, WINDOW, {"search": "Zoë", "start": 0})
    ledger.finish(number, Finish("failed", http_status=503, error="HTTP 503"))
    ledger.know("zone", {"answer": [0, 0]})
    (call,) = make_ledger().calls_since(0)
    assert (call.purpose, call.window_start, call.window_end) == ("probe", WINDOW.start, WINDOW.end)
    assert (call.request, call.outcome, call.http_status) == ('{"search": "Zoë", "start": 0}', "failed", 503)
    assert (call.counted_at, call.error) == (NOON, "HTTP 503")
    assert make_ledger().known() == {"zone": {"answer": [0, 0]}}


def test_old_calls_are_forgotten_and_those_that_count_are_not(make_ledger: MakeLedger) -> None:
    """Numbers go on ascending all the same, since the warehouse has the old ones."""
    clock = Moving(NOON)
    ledger = make_ledger(clock=clock)
    _call(ledger)
    clock.now = NOON + 40 * DAY
    _call(ledger)
    assert ledger.forget(clock.now - DAY) == 1
    assert [call.call_id for call in ledger.calls_since(0)] == [2]
    assert ledger.used() == 1
    ledger.forget(clock.now + 40 * DAY)
    assert _call(ledger) == 3


def test_an_error_within_a_transaction_undoes_it(make_ledger: MakeLedger) -> None:
    """The ledger can be used afterwards."""
    ledger = make_ledger()

    def _fail(act: Callable[[], object]) -> None:
        with ledger.transaction() as connection:
            connection.execute("insert into knowledge values ('half', '1')")
            act()

    with pytest.raises(KeyboardInterrupt):
        _fail(lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    assert ledger.known() == {}
    assert _call(ledger) == 1


@pytest.mark.parametrize(
    ("days", "request_", "rows", "count", "told"),
    [
        (30, {}, 100, 7000, 7000),
        (30, {}, 40, None, 40),
        (30, {}, 100, None, None),
        (30, {}, 100, 100, None),
        (30, {"search": "doe"}, 3, 3, None),
        (30, {"start": 90}, 10, 100, None),
        (5, {}, 3, 3, None),
    ],
    ids=["a count", "not full", "full", "a count of the page", "a search", "a later page", "a shorter span"],
)
def test_how_much_there_is_at_most_is_what_the_vendor_told_of_a_longer_span(  # noqa: PLR0913 - a call's parts
    make_ledger: MakeLedger, *, days: int, request_: dict[str, object], rows: int, count: int | None, told: int | None
) -> None:
    """By its count, or by a page that is not full; what a search or a shorter span brought tells nothing."""
    ledger = make_ledger()
    window = Window(NOON - timedelta(days=days), NOON)
    call_id = ledger.reserve(Purpose.PROBE, window, {"start": 0, "number": 100, "search": ""} | request_)
    ledger.finish(call_id, Finish("answered", row_count=rows, vendor_count=count))
    assert ledger.rows_told(NOON - timedelta(days=10), NOON) == told
