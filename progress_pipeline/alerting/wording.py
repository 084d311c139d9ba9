"""What an alert says: one message for all that is new in a run, however much that is.

A message names a few gaps, those first that matter most, and counts all. It tells of transactions and causes, never of
persons or values.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from progress_pipeline.alerting.news import BOTH, Event, GapFacts

NAMED = 20
"""Gaps that a message names at the most."""

_OPENED, _AT_ONCE, _CLOSED = "opened", "opened_and_closed", "closed"
_HEADINGS = {
    _OPENED: "Opened and not closed yet",
    _AT_ONCE: "Found, and closed already",
    _CLOSED: "Closed, after an earlier alert",
}


@dataclass(frozen=True)
class Wording:
    """A message before it is given a name.

    Attributes:
        subject: One line.
        text: The message for people.
        body: The message for programs, JSON.
    """

    subject: str
    text: str
    body: str


class _Body(msgspec.Struct):
    """The JSON of a message; `text` is what chat services show."""

    type: str
    as_of: datetime
    subject: str
    text: str
    opened_count: int
    opened_and_closed_count: int
    closed_count: int
    withdrawn_count: int
    completion_count: int
    counts_by_cause: dict[str, int]
    gaps: list[dict[str, object]]
    unnamed_count: int


def word(
    events: Mapping[str, frozenset[Event]], facts: Sequence[GapFacts], withdrawn: Sequence[str], *, as_of: datetime
) -> Wording:
    """Word a message.

    Args:
        events: By gap, what is new of it.
        facts: What is known of those gaps.
        withdrawn: Gaps that were told of and are not on record any more.
        as_of: The instant of the run.
    """
    told = sorted(((_which(events[gap.gap_id]), gap) for gap in facts), key=lambda each: _matters(*each))
    counts = Counter(which for which, _ in told)
    completions = sum(gap.update_kind == "completion" for _, gap in told)
    causes = Counter(gap.cause for _, gap in told)
    subject = _subject(counts, completions, len(withdrawn))
    named = told[:NAMED]
    lines = [f"API and webhook, as of {_at(as_of)}: {subject}."]
    for which, heading in _HEADINGS.items():
        if counts[which]:
            lines += ["", f"{heading}: {counts[which]}"]
            lines += [_line(gap) for each, gap in named if each == which]
    if len(told) > len(named):
        lines += ["", f"{len(told) - len(named)} more are not named here."]
    if withdrawn:
        lines += ["", f"Judged anew and withdrawn: {len(withdrawn)} that an earlier alert told of."]
    if causes:
        lines += ["", "By cause: " + ", ".join(f"{cause} {count}" for cause, count in causes.most_common()) + "."]
    lines += ["", _what_to_do(counts)]
    text = "\n".join(lines)
    body = _Body(
        type="progress_pipeline.gaps",
        as_of=as_of,
        subject=subject,
        text=text,
        opened_count=counts[_OPENED],
        opened_and_closed_count=counts[_AT_ONCE],
        closed_count=counts[_CLOSED],
        withdrawn_count=len(withdrawn),
        completion_count=completions,
        counts_by_cause=dict(causes),
        gaps=[{"event": which, **vars(gap)} for which, gap in named],
        unnamed_count=len(told) - len(named),
    )
    return Wording(subject, text, msgspec.json.encode(body).decode())


def _which(new: frozenset[Event]) -> str:
    if new == BOTH:
        return _AT_ONCE
    return _OPENED if "opened" in new else _CLOSED


def _matters(which: str, gap: GapFacts) -> tuple[object, ...]:
    """Order by what is to be acted on: open before closed, completions first, then the oldest."""
    order = list(_HEADINGS).index(which)
    return (order, gap.update_kind != "completion", not gap.is_overdue, gap.opened_at, gap.gap_id)


def _subject(counts: Counter[str], completions: int, withdrawn: int) -> str:
    parts = []
    if counts[_OPENED]:
        parts.append(f"{_many(counts[_OPENED])} open")
    if counts[_AT_ONCE]:
        parts.append(f"{_many(counts[_AT_ONCE])} found and closed already")
    if counts[_CLOSED]:
        parts.append(f"{_many(counts[_CLOSED])} closed")
    if withdrawn:
        parts.append(f"{_many(withdrawn)} withdrawn")
    of_them = f" ({completions} of completions)" if completions else ""
    return ", ".join(parts) + of_them


def _line(gap: GapFacts) -> str:
    ended = f"; {gap.status} {_at(gap.closed_at)}" if gap.closed_at else ""
    overdue = ", OVERDUE" if gap.is_overdue else ""
    outage = f" {gap.outage_id[:8]}" if gap.outage_id else ""
    return (
        f"- {gap.update_kind} of transaction {gap.transaction_id}: {gap.kind}, {gap.cause}{outage}{overdue}; "
        f"opened {_at(gap.opened_at)}{ended}; gap {gap.gap_id}"
    )


def _what_to_do(counts: Counter[str]) -> str:
    shown = "`progress-pipeline evidence --gap ID` shows what a verdict rests on."
    if counts[_OPENED]:
        return (
            "What is open is asked of the API again by itself. `progress-pipeline gaps --open` lists it, "
            f"`gaps accept ID --why` closes one by hand. {shown}"
        )
    return f"Nothing needs to be done for the copy: it has what was missing. {shown}"


def _many(count: int) -> str:
    return "1 gap" if count == 1 else f"{count} gaps"


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"
