"""What a run that was configured wrongly in the UI says first: a sentence, as the command line does.

And what a run warns of that ends well although the vendor gave less than was asked.
"""

import logging

import dagster as dg
import pytest

from progress_pipeline.cli.services import dev
from progress_pipeline.errors import StateError
from progress_pipeline.orchestration.running import run_job
from progress_pipeline.settings import Settings
from tests.orchestration.conftest import Play


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


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"PROGRESS_API_DAILY_CALLS": "1", "PROGRESS_API_PAGE_SIZE": "10"}, "used up"),
        ({"PROGRESS_API_URL": "http://127.0.0.1:9/api/reports/progress"}, "could not be asked"),
    ],
)
def test_a_run_that_could_not_ask_everything_warns_of_it_in_its_log(
    play: Play, history: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], sentence: str
) -> None:
    """Its steps succeed, so that nothing else in the UI's list of events would tell it from a good run."""
    for name, value in changed.items():
        monkeypatch.setenv(name, value)
    ended = play(9)
    assert ended.facts["published/progress"]
    warned = [each.user_message for each in history.all_logs(ended.run_id) if each.level == logging.WARNING]
    assert warned
    assert all(sentence in each for each in warned)


def test_the_ui_does_not_start_on_a_configuration_that_cannot_be_read(settings: Settings) -> None:
    """A sentence and exit code 1, in place of a stack trace of Dagster's own start."""
    settings.history_path.mkdir(parents=True)
    (settings.history_path / "dagster.yaml").write_text("telemetry: {", encoding="utf-8")
    with pytest.raises(StateError, match=r"dagster\.yaml cannot be used"):
        dev()
