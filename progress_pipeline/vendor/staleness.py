"""How long a change on an open record can stay unseen at most: the promise that follows from the calls set aside.

With a run every day, a change on a registration that began `age` ago is seen

    within a run (a day)               if the vendor filters on the last change
    within  period(age, pace)  + a run if it filters on the start (`rechecks`), or may
    when the record is complete        if it filters on the completion, or may: nothing open is ever shown

`pace` (`rechecks`) follows from the calls that no other purpose can take: the day's reserve for asking again, of which
half is meant for the rhythm, so days that fall due together find room.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from progress_pipeline.vendor.answers import CHANGED, COMPLETED, STARTED, Answers
from progress_pipeline.vendor.counting import Purpose, reserves
from progress_pipeline.vendor.pricing import Price
from progress_pipeline.vendor.rechecks import DAY, SLOWEST, find_pace, period

if TYPE_CHECKING:
    from progress_pipeline.vendor.known import KnownState

AGES = (1, 7, 30, 90, 365)
"""Days since the start, for which the bound is told."""
RUNS_EVERY = DAY
QUESTION = "unseen_at_most"


@dataclass(frozen=True)
class Staleness:
    """How long changes can stay unseen.

    Attributes:
        filter_dates: The dates that the vendor may find open records by.
        pace: The pace of asking again (`rechecks.find_pace`); None if the calls do not suffice for any.
        calls: Calls of a day that are set aside for it.
    """

    filter_dates: frozenset[str]
    pace: float | None
    calls: int = 0

    def bound(self, age: timedelta) -> timedelta | None:
        """Give how long a change on an open record of an age can stay unseen; None if there is no bound.

        A filter on the completion is left out, since there it is the vendor who shows no open record at all.
        """
        if STARTED in self.filter_dates:
            return None if self.pace is None else period(age, self.pace) + RUNS_EVERY
        return RUNS_EVERY if CHANGED in self.filter_dates else None

    def by_age(self) -> dict[str, float | None]:
        """Give the bound in days for some ages in days."""
        bounds = {str(age): self.bound(age * DAY) for age in AGES}
        return {age: None if bound is None else round(bound / DAY, 1) for age, bound in bounds.items()}


def staleness(state: "KnownState", answers: Answers, *, now: datetime, daily_calls: int, page_size: int) -> Staleness:
    """Compute the promise as things stand.

    Args:
        state: What the warehouse knows.
        answers: What is known of the vendor.
        now: The present.
        daily_calls: Calls of a day.
        page_size: Records asked for in one call.
    """
    calls = reserves(daily_calls)[Purpose.RECHECK]
    pace = None
    if calls:
        price = Price.of(answers, page_size)
        pace = find_pace(state.started_days, state.density, now=now, price=price, calls=float(calls))
    return Staleness(answers.open_filter_dates, None if pace is None or pace >= SLOWEST else pace, calls)


def keep_staleness(found: Staleness, answers: Answers) -> None:
    """Keep the promise beside the other answers, where `status` reads it."""
    may_be = ", ".join(sorted(found.filter_dates))
    evidence = f"{found.calls} calls of a day are kept for asking again; the filter may be on: {may_be}"
    answers.refine(QUESTION, found.by_age(), evidence)


def told(by_age: Mapping[str, float | None], filter_dates: Iterable[str]) -> str:
    """Say the promise in words."""
    ages = sorted(by_age.items(), key=lambda one: int(one[0]))
    parts = [f"{days:g} d at {age} d" for age, days in ages if days is not None]
    if not parts:
        return "no bound: " + (
            "the vendor shows no record before it is complete"
            if set(filter_dates) == {COMPLETED}
            else "the calls set aside for asking again do not suffice for any"
        )
    doubt = "; if the vendor filters on the completion, only once it is complete" if COMPLETED in filter_dates else ""
    within = f"{', '.join(parts)} of age" if len(set(by_age.values())) > 1 else f"{ages[0][1]:g} d, whatever its age"
    return f"a change on an open record is seen within {within}{doubt}"
