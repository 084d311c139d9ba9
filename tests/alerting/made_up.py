"""Gaps made up for tests of alerts, and a run that tells of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from progress_pipeline.alerting.channels import Channel
from progress_pipeline.alerting.delivering import deliver, gather
from progress_pipeline.alerting.news import GapFacts, Standing

RUN = datetime(2026, 1, 10, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)


def gap(number: int, **changes: object) -> GapFacts:
    """Make a gap that is open."""
    plain = GapFacts(
        gap_id=f"gap-{number:05d}",
        kind="missing_api",
        status="open",
        cause="withheld",
        update_kind="progressed",
        transaction_id=number,
        opened_at=RUN,
        closed_at=None,
        outage_id=None,
        is_overdue=False,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # a test's own words


def closed(one: GapFacts, status: str = "repaired") -> GapFacts:
    """Close a gap."""
    return replace(one, status=status, closed_at=RUN)


@dataclass
class Runs:
    """Runs that tell of gaps by some channels."""

    path: Path
    channels: Sequence[Channel]

    def tell(self, gaps: Iterable[GapFacts], at: datetime = RUN) -> dict[str, str]:
        """Do what a run does, given the gaps that stand opened; give what was not taken, and why."""
        by_id = {one.gap_id: one for one in gaps}
        standing = [Standing(one.gap_id, one.closed_at is not None, one.cause == "late") for one in by_id.values()]
        gathered = gather(self.path, self.channels, standing, lambda ids: [by_id[each] for each in ids], at)
        return deliver(self.path, self.channels, gathered)
