"""What a run that was configured wrongly in the UI says first: a sentence, as the command line does."""

import dagster as dg
import pytest

from progress_pipeline.orchestration.running import run_job
from progress_pipeline.settings import Settings


def _said(history: dg.DagsterInstance, run_id: str) -> str:
    (entry,) = history.all_logs(run_id, dg.DagsterEventType.STEP_FAILURE)
    assert entry.dagster_event is not None
    failure = entry.dagster_event.step_failure_data.user_failure_data
    return failure.description or "" if failure else f"a stack trace: {entry.dagster_event.step_failure_data.error}"


@pytest.mark.parametrize(
    ("pull", "sentence"),
    [
        ({"from_": "2026-01-10", "to": "2026-01-05"}, "give the earlier day as from_"),
        ({"from_": "yesterday"}, "is no instant"),
        ({"to": "9999-12-31"}, "correct the year"),
        ({}, "it names none"),
    ],
)
def test_a_backfill_of_no_span_is_refused_in_a_sentence(
    history: dg.DagsterInstance, settings: Settings, pull: dict[str, object], sentence: str
) -> None:
    """The wrong way round, no day, beyond the calendar, none at all: nothing is asked, and nothing is published."""
    ended = run_job("backfill", history, as_of="2026-01-11", pull=pull)
    assert ended.exit_code == 2
    assert sentence in _said(history, ended.run_id)
    assert not settings.published_path.exists()


@pytest.mark.parametrize("as_of", ["tomorrow", "0026-11-23", "2199-01-01"])
def test_an_instant_that_is_none_or_still_to_come_is_refused_in_a_sentence(
    history: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, as_of: str
) -> None:
    """Also where the first step has not begun to do anything yet."""
    monkeypatch.setenv("PROGRESS_API_URL", "https://vendor.example/api/reports/progress")
    ended = run_job("daily", history, as_of=as_of)
    assert ended.exit_code == 2
    assert as_of[:10] in _said(history, ended.run_id)


def test_a_first_day_that_is_still_to_come_is_refused_in_a_sentence(
    history: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the command line refuses it before a run begins."""
    monkeypatch.setenv("PROGRESS_START_DATE", "2026-02-01")
    ended = run_job("daily", history, as_of="2026-01-11")
    assert ended.exit_code == 2
    assert "PROGRESS_START_DATE 2026-02-01 is after 2026-01-11" in _said(history, ended.run_id)
