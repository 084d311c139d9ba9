"""What truly happened in the month, from the sandbox's own updates: registrations, and the certificates earned in them.

Nothing here reads a table of ours. What is counted of it is in `expected`.
"""

import calendar
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any

from progress_pipeline.cli.demo import VALIDITIES
from progress_pipeline.sandbox.truth import UpdateTruth
from tests.analyst.month import Month

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Certificate:
    """A completion, and how long it is valid."""

    learner: str
    title: str
    names: tuple[str, str]
    code: str
    valid_from: date
    valid_until: date
    is_renewed: bool = False


@dataclass(frozen=True)
class Registration:
    """One learner's instance of one activity: everything that happened to it, in order."""

    updates: list[UpdateTruth]

    @property
    def name(self) -> str:
        """Its id."""
        return self.updates[0].registration

    @property
    def now(self) -> dict[str, Any]:
        """Its newest record."""
        return self.updates[-1].record

    @property
    def title(self) -> str:
        """Its activity's title."""
        return str(self.now["activityTitle"])

    @property
    def learner(self) -> str:
        """The member identifier, or else the address."""
        return str(self.now["memberIdentifier"] or self.now["email"].lower())

    @property
    def progress(self) -> float:
        """How far it is."""
        return float(self.now["progress"])

    @property
    def is_completed(self) -> bool:
        """Whether it is completed."""
        return self.updates[-1].kind == "completion"

    @property
    def days(self) -> float | None:
        """Days from start to completion, where it has both."""
        if not self.is_completed or self.now["dateStarted"] is None:
            return None
        return float((self.now["dateCompleted"] - self.now["dateStarted"]) / DAY)

    @property
    def week(self) -> date:
        """The Monday of the week in which it began."""
        return monday((self.now["dateStarted"] or self.now["dateCompleted"] or self.updates[0].happened_at).date())

    @property
    def moved_at(self) -> datetime:
        """When anything happened last."""
        return self.updates[-1].happened_at


def monday(day: date) -> date:
    """Give the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


class Truth:
    """The month as it was."""

    def __init__(self, month: Month) -> None:
        self.today = month.as_of.date()
        self.updates = month.updates

    @cached_property
    def registrations(self) -> list[Registration]:
        """All registrations."""
        by_name: dict[str, list[UpdateTruth]] = defaultdict(list)
        for update in self.updates:
            by_name[update.registration].append(update)
        return [Registration(updates) for updates in by_name.values()]

    @cached_property
    def waiting(self) -> list[Registration]:
        """Those not completed, of learners who did not complete the activity under another one either."""
        done = {(one.learner, one.title) for one in self.registrations if one.is_completed}
        return [one for one in self.registrations if not one.is_completed and (one.learner, one.title) not in done]

    @cached_property
    def certificates(self) -> list[Certificate]:
        """Every completion with its days, and whether the learner completed again."""
        rules = {line.split(",")[0]: line.split(",")[1:] for line in VALIDITIES.splitlines()[1:]}
        by_holder: dict[tuple[str, str], list[Certificate]] = defaultdict(list)
        for one in self.registrations:
            if one.is_completed:
                months, days = rules.get(one.now["activityId"], rules["*"])
                begun = one.now["dateCompleted"].date()
                until = begun + timedelta(days=int(days)) if days else months_later(begun, int(months))
                names = (one.now["firstName"], one.now["lastName"])
                code = one.now["completionCode"]
                by_holder[one.learner, one.title].append(Certificate(one.learner, one.title, names, code, begun, until))
        made = []
        for held in by_holder.values():
            held.sort(key=lambda one: (one.valid_from, one.code))
            made += [Certificate(**{**vars(one), "is_renewed": True}) for one, _ in pairwise(held)]
            made.append(held[-1])
        return made

    def state(self, one: Certificate) -> str:
        """Name the column in which the answer counts a certificate."""
        left = (one.valid_until - self.today).days
        if one.is_renewed:
            return "renewed"
        if left < 0:
            return "lapsed"
        return next((f"within_{days}" for days in (30, 60, 90) if left <= days), "current")


def months_later(day: date, months: int) -> date:
    """Give the same day some months later, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
