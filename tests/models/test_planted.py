"""Faults planted on the sandbox: every gap that can be known is named with its cause, and nothing else is.

`benchmarks/audit_planted_faults.py` plays the same over many seeds, each fault alone too.
"""

from pathlib import Path

from progress_pipeline.vendor.counting import Purpose, reserves
from tests.models.planted import NAMED, Play, Verdict
from tests.models.planting import FAULTS, RUNS


def test_all_faults_together_are_told_apart_and_what_the_api_can_close_is_closed(tmp_path: Path) -> None:
    """Losses, an outage, refusals, lateness, repeats, rows withheld, a name that differs, one side alone.

    With no hand on it: what is open in the end is what the API never shows and what contradicts itself. The repairs of
    no day took more calls than are set aside for them, and each ask took the one call that it was planned to take.
    """
    played = Play(1, "per_update", tmp_path, registrations=150)
    with played.running(*FAULTS) as (sandbox, pipeline, made):
        for now in RUNS:
            played.day(sandbox, pipeline, now)
        verdict = Verdict(frozenset(made.gaps), frozenset((a, b, c, d) for a, b, c, d in pipeline.values(NAMED)))
        calls = pipeline.values(
            "select cast(counted_at as date), count(*) from raw.api_calls where purpose = 'repair' group by all"
        )
        taken = pipeline.values("select distinct call_count from raw.api_windows where purpose = 'repair'")
        closed = pipeline.values(
            "select count(*) from audit.gaps where cause = 'withheld' and told_by_call_id is not null"
        )
    assert verdict.wrong == []
    assert len({cause for *_, cause in verdict.planted}) == 6
    withheld = {gap for gap in made.gaps if gap[3] == "withheld"}
    assert {status for _, _, status, _ in withheld} == {"repaired", "open"}
    assert closed == [(sum(status == "repaired" for _, _, status, _ in withheld),)]
    assert taken == [(1,)]
    assert max(count for _, count in calls) <= reserves(500)[Purpose.REPAIR]
