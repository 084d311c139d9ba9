"""What a run left unfinished, so that the next does not begin it the same way.

A run that stops in the middle of a window has proven nothing of it. If the window takes more calls than a day grants
and is begun the same way each day, neither it nor anything after it is ever covered. So where a span stopped is kept
beside the ledger, with how long its next window is at most: half of the one that did not come to its end. A window that
cannot be cut shorter and still takes more than a day grants is kept with the reason in words, and passed over for some
days.

What always holds, and what `tests/vendor/test_unfinished.py` plays: as long as the vendor's list stands still, each run
that uses up its calls has proven something, or learned something, or the next begins with a window half as long. A
window can be halved only so often, so after some days all is covered that can be.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from progress_pipeline.vendor.ledger import CallLedger, Purpose

KNOWN_AS = "unfinished"
KEPT = 50
PASSED_OVER_FOR = timedelta(days=7)
"""What no day's calls suffice for is tried again after this, since pages, grants and lists change."""


@dataclass(frozen=True)
class Stop:
    """Where a span stopped.

    Attributes:
        at_most: How long its next window is at most.
        why: Why that window is passed over; None if it is to be asked.
    """

    at_most: timedelta
    why: str | None = None


class Unfinished:
    """The stops of one purpose.

    Args:
        ledger: Keeps them, and gives the time.
        purpose: The purpose.
        conditions: What must not have changed for a window to be passed over: page size and grant.
    """

    def __init__(self, ledger: CallLedger, purpose: Purpose, *conditions: int) -> None:
        self._ledger = ledger
        self._purpose = purpose.value
        self._conditions = list(conditions)
        self._stops: dict[str, dict[str, Any]] = dict(ledger.known().get(KNOWN_AS) or {})

    def at(self, edge: datetime) -> Stop | None:
        """Give what was left at the edge of a span."""
        kept = self._stops.get(self._name(edge))
        if kept is None:
            return None
        at_most = timedelta(seconds=kept["seconds"])
        is_new = self._ledger.clock() < datetime.fromisoformat(kept["kept_at"]) + PASSED_OVER_FOR
        return Stop(at_most, kept["why"] if is_new and kept["conditions"] == self._conditions else None)

    def keep(self, edge: datetime, at_most: timedelta, why: str | None = None) -> None:
        """Keep where a span stopped."""
        self._stops[self._name(edge)] = {
            "seconds": at_most.total_seconds(),
            "why": why,
            "kept_at": self._ledger.clock().isoformat(),
            "conditions": self._conditions,
        }
        self._stops = dict(sorted(self._stops.items(), key=lambda item: str(item[1]["kept_at"]))[-KEPT:])
        self._ledger.know(KNOWN_AS, self._stops)

    def forget(self, edge: datetime) -> None:
        """Forget a stop that was come past."""
        if self._stops.pop(self._name(edge), None) is not None:
            self._ledger.know(KNOWN_AS, self._stops)

    def _name(self, edge: datetime) -> str:
        return f"{self._purpose} {edge.isoformat()}"
