"""A gap that no call can close stays open, and holds the watermark, until somebody accepts it, with who and why."""

from datetime import datetime, timedelta
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from progress_pipeline.cli.app import app
from progress_pipeline.errors import UsageError
from progress_pipeline.sandbox.config import Planted
from tests.models.one_transaction import PULL, TOLD, completed, gaps, mine
from tests.models.planted import Play
from tests.models.planting import FIRST, RUNS
from tests.models.play import HOUR, Raw
from tests.stepping import Stepper

WHY = "the vendor took it back"


def watermark(pipeline: Stepper) -> tuple[Any, ...]:
    """Give how far both agree on progress, what holds it, and the transaction that does."""
    (row,) = pipeline.values(
        "select agreed_until, held_by, held_by_transaction_id from audit.watermarks where update_kind = 'progressed'"
    )
    return row


def settled(run: datetime) -> tuple[Any, ...]:
    """Give the watermark of a run that nothing holds back."""
    return (run.replace(tzinfo=None) - timedelta(hours=2), "the settle time", None)


def test_only_an_acceptance_carries_the_watermark_over_what_the_api_never_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two runs long it stands at that push, to the second; the run after the command passes it and keeps the record."""
    with Play(5, "per_update", tmp_path, registrations=100).running() as (sandbox, pipeline, _):
        hole = next(
            one
            for one in sandbox.truth.updates(to_come=True)
            if one.kind == "progressed" and FIRST + timedelta(hours=8) < one.happened_at < RUNS[0] - timedelta(hours=3)
        )
        sandbox.change(planted=(Planted("api_never", update_id=hole.update_id),))
        for run in RUNS[:2]:
            sandbox.clock.set(run)
            pipeline.run(run)
            ((pushed_at, gap_id),) = pipeline.values("select changed_before, gap_id from audit.gaps")
            assert abs(pushed_at - hole.happened_at.replace(tzinfo=None)) < timedelta(seconds=5)
            assert watermark(pipeline) == (pushed_at, "a gap", hole.transaction_id)

        for name, value in (("API_URL", sandbox.api_url), ("API_TOKEN", sandbox.token), ("DATA_DIR", str(tmp_path))):
            monkeypatch.setenv(f"PROGRESS_{name}", value)
        monkeypatch.setenv("LOGNAME", "ada")
        accept = ["gaps", "accept", gap_id, "--why", WHY]
        assert CliRunner().invoke(app, accept).exit_code == 0

        sandbox.clock.set(RUNS[2])
        pipeline.run(RUNS[2])
        assert watermark(pipeline) == settled(RUNS[2])
        kept = "select status, cause, opened_at, accepted_by, accepted_because, closed_at is not null from audit.gaps"
        opened_at = RUNS[0].replace(tzinfo=None)
        assert pipeline.values(kept) == [("accepted", "withheld", opened_at, "ada", WHY, True)]
        assert isinstance(CliRunner().invoke(app, accept).exception, UsageError)


def test_to_accept_a_gap_judges_no_other(begun: Raw) -> None:
    """It landed nothing, so it cannot know that a push did not come: the next run opens it, and says so."""
    begun.told_by_api(PULL[2], mine())
    begun.begin_load(PULL[2] + 3 * HOUR, purpose="manual")
    begun.begin_load(PULL[3])
    assert gaps(begun) == [("missing_webhook", "repaired", "lost", PULL[2], PULL[3], PULL[3])]
    assert begun.one("select previous_as_of from intermediate.int_runs_judged") == {"previous_as_of": PULL[2]}


def test_a_gap_that_somebody_accepted_is_closed_with_who_and_why(begun: Raw) -> None:
    """By hand, from its id."""
    begun.told_by_api(PULL[2])
    begun.told_by_webhook(TOLD, "progressed", mine())
    begun.begin_load(PULL[3])
    begun.connection.execute(
        "insert into raw.gap_acceptances (gap_id, accepted_at, accepted_by, why, load_number)"
        " select md5('api|77|r-77|50.0'), as_of, 'Ada', 'a test record', load_number from raw.runs where as_of = ?",
        [PULL[3]],
    )
    assert gaps(begun, "status, closed_at, accepted_by, accepted_because") == [
        ("accepted", PULL[3], "Ada", "a test record")
    ]


def test_what_becomes_known_after_an_acceptance_is_a_gap_of_its_own(begun: Raw) -> None:
    """50 was accepted as never shown; the completion that the API withholds afterwards was accepted by nobody."""
    begun.told_by_api(PULL[2])
    begun.told_by_webhook(TOLD, "progressed", mine())
    begun.begin_load(PULL[3])
    begun.begin_load(PULL[3] + HOUR, purpose="manual")
    acceptance = {"gap_id": md5(b"api|77|r-77|50.0", usedforsecurity=False).hexdigest(), "why": "a test record"}
    begun.insert("gap_acceptances", [{**acceptance, "accepted_at": PULL[3] + HOUR, "accepted_by": "Ada"}])
    begun.told_by_api(PULL[4])
    begun.told_by_webhook(PULL[4] - HOUR, "progressed", mine(70))
    begun.told_by_webhook(PULL[4] - HOUR / 2, "completion", completed(PULL[4] - HOUR / 2))
    begun.told_by_api(PULL[5])
    assert gaps(begun, "kind, status, update_kind, first_seen_at, opened_at, closed_at") == [
        ("missing_api", "accepted", "progressed", TOLD, PULL[2], PULL[3] + HOUR),
        ("missing_api", "open", "completion", PULL[4] - HOUR, PULL[5], None),
    ]
