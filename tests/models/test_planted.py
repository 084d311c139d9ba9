"""Faults planted on the sandbox: every gap that can be known is named with its cause, and nothing else is.

`benchmarks/audit_planted_faults.py` plays the same over many seeds, each fault alone too.
"""

from pathlib import Path

from tests.models.planted import Play
from tests.models.planting import FAULTS


def test_all_faults_together_are_told_apart(tmp_path: Path) -> None:
    """Losses, an outage, refusals, lateness, repeats, rows withheld, a name that differs, one side alone."""
    verdict = Play(1, "per_update", tmp_path, registrations=150).judge(*FAULTS)
    assert verdict.wrong == []
    assert len({cause for *_, cause in verdict.planted}) == 6
