"""What is said of asking without asking: `backfill --dry-run`, and the bound in `status`."""

import json
from pathlib import Path

from progress_pipeline.vendor.answers import Answers
from progress_pipeline.vendor.ledger import CallLedger
from progress_pipeline.vendor.staleness import Staleness, keep_staleness
from progress_pipeline.warehouse.connection import connect
from tests.cli.conftest import ENDPOINT, Call

SPAN = ("--from", "2025-01-01", "--to", "2025-12-31", "--as-of", "2026-07-01", "--dry-run")


def _cover(tmp_path: Path, rows: int) -> None:
    """Let the first half of 2026 be proven, with so many rows."""
    (tmp_path / "data" / "warehouse").mkdir(parents=True)
    with connect(tmp_path / "data" / "warehouse" / "progress.duckdb") as connection:
        connection.execute("create schema raw")
        connection.execute(
            "create table raw.api_windows as select 'one' as window_id, 'daily' as purpose, null::text as search, "
            "timestamp '2026-01-01' as window_start, timestamp '2026-07-01' as window_end, true as is_complete, "
            "timestamp '2026-07-01' as attempted_at, ?::bigint as distinct_rows",
            [rows],
        )


def _calls_made(tmp_path: Path) -> int:
    with CallLedger(tmp_path / "data" / "ledger" / "calls.sqlite", daily_calls=500) as ledger:
        return ledger.last_call_id()


def test_it_says_calls_days_and_the_end_date_and_spends_nothing(call: Call, tmp_path: Path) -> None:
    """By the density of what is covered: 365 days of 2,000 records at 1,000 a call, and 228 calls of a day for it."""
    _cover(tmp_path, 181 * 2000)
    done = call("backfill", *SPAN, **ENDPOINT)
    assert done.exit_code == 0
    assert done.out.startswith("About 1024 calls over 5 day(s), done on 2026-07-05; ")
    found = json.loads(call("backfill", *SPAN, "--json", **ENDPOINT).out)
    assert (found["calls"], found["days"], found["ends_on"], found["windows"]) == (1024, 5, "2026-07-05", 1)
    assert _calls_made(tmp_path) == 0


def test_a_vendor_that_gives_fewer_records_at_once_than_it_is_asked_for_takes_more_calls(
    call: Call, tmp_path: Path
) -> None:
    """100 in place of 1,000, as a probe found: 730,000 records take ten times the calls."""
    _cover(tmp_path, 181 * 2000)
    with CallLedger(tmp_path / "data" / "ledger" / "calls.sqlite", daily_calls=500) as ledger:
        Answers.load(ledger).learn("page_cap", 100, "a probe")
    assert call("backfill", *SPAN, **ENDPOINT).out.startswith("About 10222 calls over 45 day(s), ")


def test_it_makes_no_number_up_where_nothing_is_known(call: Call, tmp_path: Path) -> None:
    """It says so, and how many calls are left."""
    done = call("backfill", *SPAN, **ENDPOINT)
    assert done.exit_code == 0
    assert "Nothing is known yet of how much there is; 228 calls are left" in done.out
    assert _calls_made(tmp_path) == 0


def test_what_is_covered_takes_no_call(call: Call, tmp_path: Path) -> None:
    """It says that, too."""
    _cover(tmp_path, 1)
    done = call(
        "backfill", "--from", "2026-02-01", "--to", "2026-03-31", "--as-of", "2026-07-01", "--dry-run", **ENDPOINT
    )
    assert "covered already; no call is needed" in done.out


def test_status_says_how_long_a_change_can_stay_unseen(call: Call, tmp_path: Path) -> None:
    """As the last run computed it, and in JSON for a program."""
    with CallLedger(tmp_path / "data" / "ledger" / "calls.sqlite", daily_calls=500) as ledger:
        keep_staleness(Staleness(frozenset({"started"}), 2.0, 100), Answers.load(ledger))
    assert "seen within 2 d at 1 d, 2.8 d at 7 d, 8.5 d at 30 d, 23.5 d at 90 d" in call("status", **ENDPOINT).out
    assert json.loads(call("status", "--json", **ENDPOINT).out)["calls"]["answers"]["unseen_at_most"]["90"] == 23.5
