"""Alerts of whole runs: a lost completion once, a late push never, and no run that fails for an endpoint's sake."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
import stamina

from progress_pipeline.orchestration.running import run_job
from progress_pipeline.sandbox.config import Planted
from progress_pipeline.sandbox.server import Sandbox
from progress_pipeline.settings import Settings
from tests.alerting.receiving import Authority, Endpoint
from tests.orchestration.conftest import BEGINS_AT, Look, Play


@pytest.fixture
def endpoint(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """An endpoint that the settings name."""
    assert not settings.has_alerts
    made = Endpoint(Authority(tmp_path))
    with made.up():
        monkeypatch.setenv("PROGRESS_ALERT_WEBHOOK_URL", made.url)
        monkeypatch.setenv("PROGRESS_ALERT_CA_FILE", str(made.authority.ca_file))
        with stamina.set_testing(True, attempts=1):
            yield made


def test_a_lost_completion_alerts_once_and_a_push_that_is_late_in_time_never(
    sandbox: Sandbox, history: dg.DagsterInstance, look: Look, endpoint: Endpoint
) -> None:
    """Over four runs, two of them of one instant, of which the first saw what was still to be pushed: one message."""
    updates = [one for one in sandbox.truth.updates(to_come=True) if one.happened_at > BEGINS_AT + timedelta(days=2)]
    lost = next(one for one in updates if one.kind == "completion")
    late = next(one for one in updates if one.happened_at > lost.happened_at + timedelta(hours=3))
    sandbox.change(
        push_late_by=timedelta(minutes=50),
        planted=(Planted("push_lost", update_id=lost.update_id), Planted("push_late", update_id=late.update_id)),
    )
    for hours in (0.5, 0.5, 3, 27):
        now = late.happened_at + timedelta(hours=hours)
        sandbox.clock.set(now)
        assert run_job("daily", history, as_of=now.isoformat()).exit_code == 0
    assert look("select transaction_id, cause from audit.gaps") == [(lost.transaction_id, "lost")]
    (told,) = endpoint.bodies
    assert [(each["event"], each["transaction_id"]) for each in told["gaps"]] == [
        ("opened_and_closed", lost.transaction_id)
    ]


def test_an_endpoint_that_is_away_fails_no_run(
    sandbox: Sandbox, play: Play, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does one that is set wrongly; the alert comes with the first run that can send it."""
    lost = next(one for one in sandbox.truth.updates(to_come=True) if one.kind == "completion")
    sandbox.change(planted=(Planted("push_lost", update_id=lost.update_id),))
    monkeypatch.setenv("PROGRESS_ALERT_WEBHOOK_URL", "https://127.0.0.1:1/hook")
    assert play(5).exit_code == 0
    monkeypatch.setenv("PROGRESS_ALERT_WEBHOOK_URL", endpoint.url)
    assert play(6).exit_code == 0
    assert [each["transaction_id"] for body in endpoint.bodies for each in body["gaps"]] == [lost.transaction_id]
