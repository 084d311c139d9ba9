"""The daily run, whole: the vendor's double in, the published file out."""

from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from progress_pipeline.orchestration.assembling import build_definitions
from progress_pipeline.orchestration.history import open_history
from progress_pipeline.orchestration.running import run_job
from progress_pipeline.sandbox.config import Span
from progress_pipeline.sandbox.server import Sandbox
from progress_pipeline.settings import Settings
from progress_pipeline.warehouse.connection import connect
from tests.orchestration.conftest import BEGINS_AT, Look, Play


def test_a_month_in_small_ends_as_the_truth_has_it(sandbox: Sandbox, play: Play, look: Look) -> None:
    """An outage and all: every registration and completion is there, every lost push is named and repaired."""
    sandbox.change(outages=(Span(BEGINS_AT + timedelta(days=3), BEGINS_AT + timedelta(days=4, hours=12)),))
    endings = [play(day) for day in (3, 5, 7, 11)]
    assert [ended.exit_code for ended in endings] == [0, 0, 0, 0]
    truth = sandbox.truth.summary()
    lost = {update.transaction_id for update in sandbox.truth.lost()}
    assert lost
    assert look("select count(*), count(*) filter (where is_completed) from marts.fct_progress") == [
        (truth.registration_count, truth.completed_count)
    ]
    assert {row[0] for row in look("select transaction_id from audit.gaps where kind = 'missing_webhook'")} == lost
    assert look("select distinct status from audit.gaps") == [("repaired",)]
    assert {check.name for check in endings[1].failed_checks} == {"webhook_not_silent"}


def test_what_a_run_has_loaded_is_put_away_where_settings_ask_for_it(
    play: Play, landing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left lying, all is in one pack, also where a file has two names, and nothing is read again."""
    monkeypatch.setenv("PROGRESS_LANDING_AFTER_LOAD", "compact")
    (landing / "one.json").write_text('{"started": []}', encoding="utf-8")
    (landing / "other.json").hardlink_to(landing / "one.json")
    assert [play(3).exit_code, play(3).exit_code] == [0, 0]
    assert [path for path in landing.rglob("*.json") if path.is_file()] == []
    assert len(list((landing / ".archive").glob("*.tar.zst"))) == 1


def test_a_second_run_changes_nothing(play: Play, look: Look) -> None:
    """Run again as of the same instant: no new row, no call for what is covered."""
    play(4)
    before = look("select * exclude (last_seen_at) from audit.gaps order by all")
    facts = look("from marts.fct_progress order by all"), look("from marts.fct_completions order by all")
    again = play(4)
    assert again.facts["raw/api_progress"]["new_rows"] == 0
    assert again.facts["raw/webhook_updates"]["new_rows"] == 0
    assert (look("from marts.fct_progress order by all"), look("from marts.fct_completions order by all")) == facts
    assert look("select * exclude (last_seen_at) from audit.gaps order by all") == before


def test_a_refused_token_fails_the_run_and_keeps_what_has_landed(
    play: Play, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, settings: Settings, history: dg.DagsterInstance
) -> None:
    """Exit code 1, a sentence, which the UI says first too, and the pushes are loaded all the same."""
    play(2)
    monkeypatch.setenv("PROGRESS_API_TOKEN", "00000000-0000-4000-8000-000000000000")
    ended = play(4)
    assert ended.exit_code == 1
    (sentence,) = ended.told
    assert "token" in sentence
    assert "00000000" not in sentence
    failed = [each.dagster_event for each in history.all_logs(ended.run_id, dg.DagsterEventType.STEP_FAILURE)]
    assert [event and (said := event.step_failure_data.user_failure_data) and said.description for event in failed] == [
        sentence
    ]
    assert settings.published_path.exists()
    with connect(settings.warehouse_path) as connection:
        ((updates,),) = connection.execute("select count(*) from raw.webhook_updates").fetchall()
    assert updates == sandbox.truth.summary().delivered_update_count


def test_used_up_calls_end_a_run_in_good_order(
    play: Play, monkeypatch: pytest.MonkeyPatch, look: Look, settings: Settings
) -> None:
    """Exit code 4, everything else is done, and the next day continues."""
    monkeypatch.setenv("PROGRESS_API_DAILY_CALLS", "1")
    monkeypatch.setenv("PROGRESS_API_PAGE_SIZE", "10")
    first = play(9)
    assert first.exit_code == 4
    assert "used up" in first.told[0]
    assert settings.published_path.exists()
    monkeypatch.setenv("PROGRESS_API_DAILY_CALLS", "500")
    assert play(11).exit_code in {0, 3}
    assert look("select count(*) from marts.fct_progress") == [(30,)]


def test_a_vendor_that_is_away_costs_nothing_of_what_it_pushed(
    sandbox: Sandbox, play: Play, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 1 and a sentence, while pushes are loaded, facts built and the file published."""
    monkeypatch.setenv("PROGRESS_API_URL", "http://127.0.0.1:9/api/reports/progress")
    ended = play(4)
    assert ended.exit_code == 1
    assert ended.facts["published/progress"]
    assert look("select count(*) from marts.fct_progress") == [(sandbox.truth.summary().registration_count,)]


def test_the_token_stands_nowhere(play: Play, sandbox: Sandbox, tmp_path: Path) -> None:
    """In no file that a run writes: no table, log, history, ledger or evidence."""
    play(3)
    token = sandbox.token.encode()
    holding = [path for path in tmp_path.rglob("*") if path.is_file() and token in path.read_bytes()]
    assert holding == []


def test_what_an_operator_sees_of_a_run(play: Play, history: dg.DagsterInstance) -> None:
    """Rows new and total, the window, the calls used and left, a preview, column types."""
    play(3)
    event = history.get_latest_materialization_event(dg.AssetKey(["raw", "api_windows"]))
    assert event is not None
    materialization = event.asset_materialization
    assert materialization is not None
    metadata = materialization.metadata
    assert {"dagster/row_count", "new_rows", "windows", "calls", "calls_left", "covered_until", "preview"} <= set(
        metadata
    )
    assert metadata["calls_left"].value == 500 - int(str(metadata["calls"].value))


def test_a_subset_of_the_raw_tables_only_lands(sandbox: Sandbox, settings: Settings) -> None:
    """Selecting what the webhook fills asks no vendor."""
    now = BEGINS_AT + timedelta(days=3)
    sandbox.clock.set(now)
    job = build_definitions().resolve_job_def("daily")
    with open_history(settings) as history:
        result = job.execute_in_process(
            instance=history,
            asset_selection=[dg.AssetKey(["raw", "webhook_updates"])],
            run_config={"resources": {"run_context": {"config": {"as_of": now.isoformat()}}}},
        )
    assert result.success
    (event,) = result.get_asset_materialization_events()
    assert event.asset_key == dg.AssetKey(["raw", "webhook_updates"])
    assert sandbox.truth.summary().call_count == 0


def test_a_backfill_covers_the_span_that_it_names(
    sandbox: Sandbox, history: dg.DagsterInstance, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same assets, with a window by run configuration."""
    now = BEGINS_AT + timedelta(days=9)
    sandbox.clock.set(now)
    monkeypatch.setenv("PROGRESS_START_DATE", "2026-01-08")
    ended = run_job("backfill", history, as_of=now.isoformat(), pull={"from_": "2026-01-01", "to": "2026-01-07"})
    assert ended.facts["raw/api_windows"]["ended"] == "done"
    listed = sandbox.truth.listed_transactions()
    early = {u.transaction_id for u in sandbox.truth.updates() if u.happened_at < BEGINS_AT + timedelta(days=7)}
    held = {
        row[0] for row in look("select transaction_id from audit.reconciliation where api_first_told_at is not null")
    }
    assert held >= early & listed
