"""The day's last call is the last, over restarts, processes and kills; and what the ledger tells of calls made."""

import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from progress_pipeline.errors import CallsUsedUpError
from progress_pipeline.vendor.ledger import CallLedger, Finish, Purpose
from progress_pipeline.vendor.windows import Window
from tests.open_files import open_files
from tests.vendor.conftest import NOON, MakeLedger
from tests.vendor.counted import WINDOW, Moving, calls_until_held_back, make_call

DAY = timedelta(days=1)


def test_the_501st_call_never_leaves(make_ledger: MakeLedger) -> None:
    """Whoever asks, for whatever purpose, in whichever order: 500 are counted, and then none."""
    ledger = make_ledger(clock=Moving(NOON))
    calls = sum(calls_until_held_back(ledger, purpose) for purpose in reversed(Purpose))
    assert calls == ledger.used() == 500
    assert [ledger.left(purpose) for purpose in Purpose] == [0] * 6
    assert ledger.last_call_id() == 500


def test_a_restart_forgets_no_call(make_ledger: MakeLedger) -> None:
    """Each call is made by a ledger that was opened for it alone; the fifth of four never leaves."""
    for number in range(1, 5):
        assert make_call(make_ledger(daily_calls=4)) == number
    with pytest.raises(CallsUsedUpError, match=r"4 of 4 of the day \(rolling\)\. The next run continues"):
        make_call(make_ledger(daily_calls=4))


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
        assert make_call(ledger) == 3
        assert make_call(ledger) == 4
        with pytest.raises(CallsUsedUpError):
            make_call(ledger)


def test_a_call_that_is_held_back_is_not_counted(make_ledger: MakeLedger) -> None:
    """What never left is no call."""
    ledger = make_ledger(daily_calls=1)
    assert calls_until_held_back(ledger) == 1
    assert calls_until_held_back(ledger) == 0
    assert ledger.used() == ledger.last_call_id() == 1


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
    make_call(ledger)
    clock.now = NOON + 40 * DAY
    make_call(ledger)
    assert ledger.forget(clock.now - DAY) == 1
    assert [call.call_id for call in ledger.calls_since(0)] == [2]
    assert ledger.used() == 1
    ledger.forget(clock.now + 40 * DAY)
    assert make_call(ledger) == 3


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
    assert make_call(ledger) == 1


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


def test_a_file_that_is_no_ledger_is_let_go_of(tmp_path: Path) -> None:
    """At once, though the error is still held."""
    path = tmp_path / "calls.sqlite"
    path.write_bytes(b"no database, but longer than a header would be, to be sure of it" * 20)
    with pytest.raises(sqlite3.DatabaseError) as raised:
        CallLedger(path, daily_calls=500)
    assert path not in open_files(), raised
