"""What repair planning takes and gives: gaps that the API owes an answer to, things to ask, and a plan of them."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class OpenGap:
    """A gap that the API owes an answer to: a row of `audit.gaps` of kind `missing_api` or `behind_api`.

    Attributes:
        gap_id: The gap.
        registration_id: Its registration, as the vendor's search finds it.
        update_kind: started, progressed or completion; a completion matters most.
        told_at: When the webhook told it (`changed_before`).
        started_at: When the registration was started, if it is known.
        completed_at: When it was completed, if it was.
        attempt_count: How often it was asked for in vain (`repair_attempt_count`).
        next_try_at: Before this instant it is left alone (`next_repair_at`); None if it was never asked for.
    """

    gap_id: str
    registration_id: str
    update_kind: str
    told_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    attempt_count: int = 0
    next_try_at: datetime | None = None


@dataclass(frozen=True)
class RepairAsk:
    """One thing to ask.

    Attributes:
        window_start: Start of the span, inclusive.
        window_end: Its end, exclusive.
        search: The registration it is narrowed to; empty for the whole window.
        gap_ids: The gaps it is meant to close.
        calls: Calls that it is expected to take.
        reason: Why, in a few words.
    """

    window_start: datetime
    window_end: datetime
    search: str
    gap_ids: tuple[str, ...]
    calls: int
    reason: str


@dataclass(frozen=True)
class RepairPlan:
    """What to ask, and what not.

    Attributes:
        asks: What to ask, the most valuable first.
        unaffordable: Gaps that are due and that the calls do not suffice for; the next run plans them again.
        not_yet: Gaps whose next try is later.
    """

    asks: tuple[RepairAsk, ...]
    unaffordable: tuple[str, ...]
    not_yet: tuple[str, ...]

    @property
    def calls(self) -> int:
        """Calls that the plan is expected to take."""
        return sum(ask.calls for ask in self.asks)
