"""What is news to a channel: gaps that opened, gaps that closed, each once. Pure, no I/O.

A suspected gap is no news, and a gap that closed before anybody was told of it is told of once, as closed. One that
turned out late before anybody was told of it never alerts. One that was told of and is not on record any more was
judged anew: it is told of as withdrawn, so that whoever was told that it opened is told of its end.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

Event: TypeAlias = Literal["opened", "closed"]
Told: TypeAlias = Mapping[str, frozenset[Event]]
"""What a channel was told so far, by gap."""

BOTH: frozenset[Event] = frozenset({"opened", "closed"})


@dataclass(frozen=True)
class Standing:
    """How a gap stands that some run opened.

    Attributes:
        gap_id: The gap.
        is_closed: Whether it was repaired or accepted.
        is_late: Whether the webhook told it after all.
    """

    gap_id: str
    is_closed: bool
    is_late: bool


@dataclass(frozen=True)
class GapFacts:
    """What an alert says of a gap: nothing of a person.

    Attributes:
        gap_id: The gap.
        kind: Who owes what.
        status: open, repaired or accepted.
        cause: Why.
        update_kind: started, progressed or completion.
        transaction_id: The transaction that it is about.
        opened_at: The run that opened it.
        closed_at: When it was closed.
        outage_id: The outage that it belongs to.
        is_overdue: Whether it is open beyond its limit.
    """

    gap_id: str
    kind: str
    status: str
    cause: str
    update_kind: str
    transaction_id: int
    opened_at: datetime
    closed_at: datetime | None
    outage_id: str | None
    is_overdue: bool


@dataclass(frozen=True)
class News:
    """What is to be told, and what will never need to be.

    Attributes:
        events: By gap, what is new of it.
        withdrawn: Gaps told of as opened that are not on record any more.
        passed_over: Gaps that were late before anybody was told of them.
    """

    events: Mapping[str, frozenset[Event]]
    withdrawn: tuple[str, ...]
    passed_over: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.events or self.withdrawn)


def news_of(standing: Iterable[Standing], told: Told) -> News:
    """Hold how the gaps stand against what a channel was told."""
    events: dict[str, frozenset[Event]] = {}
    passed_over = []
    on_record = set()
    for gap in standing:
        on_record.add(gap.gap_id)
        known = told.get(gap.gap_id, frozenset())
        if not known and gap.is_late:
            passed_over.append(gap.gap_id)
            continue
        now: frozenset[Event] = BOTH if gap.is_closed else frozenset({"opened"})
        if new := now - known:
            events[gap.gap_id] = new
    withdrawn = sorted(gap_id for gap_id, known in told.items() if known == {"opened"} and gap_id not in on_record)
    return News(events, tuple(withdrawn), tuple(passed_over))
