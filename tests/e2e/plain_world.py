"""What happens at a plain vendor in a span of days, made up from a seed, in typed values.

How the vendor lists, filters and writes it down is for `plain_vendor` and `plain_speech`.
"""

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

FIRST_NAMES = ("Zoë", "Björn", "An", "李", "Ana María", "O'Neil", "Siobhán", "Müge", "Ada", "Jan-Piet", "Ægir", "Ho")
LAST_NAMES = (
    *("Doe", "Ñúñez", "de la Cruz", "Smith", "van 't Hoff", "Ødegård", "王", "Doe; drop table x", 'He said "no"'),
)
TITLES = ("Concussion", "Coaching I", "Coaching II", "Anti-Doping", "Safeguarding, part 1", "Réanimation")
WAITS = (30, 600, 7_200, 86_400, 700_000, 3_000_000)

Record: TypeAlias = dict[str, Any]
"""The page's twelve fields: dates as instants, what is absent as None."""

Transactions: TypeAlias = Literal["in_place", "per_update"]


@dataclass(frozen=True)
class Update:
    """One thing that a learner did, and the record by which the vendor tells it."""

    at: datetime
    kind: Literal["started", "progressed", "completions"]
    record: Record


def happen(  # noqa: PLR0913 - what a world is made of, each by name
    *, registrations: int, start: datetime, days: int, transactions: Transactions, odd: bool, seed: int
) -> Iterator[Update]:
    """Make up starts, progress in steps and completions, some learners more than once, in order."""
    chance = random.Random(seed)  # noqa: S311 - the same each time
    learners = [_learner(chance, number) for number in range(max(2, registrations * 2 // 3))]
    stories = sorted(
        story for number in range(registrations) for story in _story(chance, number, start, timedelta(days=days))
    )
    owners = [chance.choice(learners) for _ in range(registrations)]
    titles = [chance.choice(TITLES) for _ in range(registrations)]
    names = [_registration(chance, number, odd=odd) for number in range(registrations)]
    codes = [_code(chance, odd=odd) for _ in range(registrations)]
    started: dict[int, datetime] = {}
    for transaction, (at, number, progress) in enumerate(stories, start=70_001):
        started.setdefault(number, at)
        done = progress == 100
        record = {
            "transactionId": transaction if transactions == "per_update" else 9_000 + number,
            **owners[number],
            "activityId": f"https://lms.example.invalid/a/{TITLES.index(titles[number])}",
            "activityTitle": titles[number],
            "registration": names[number],
            "dateStarted": started[number],
            "progress": progress,
            "dateCompleted": at if done else None,
            "completionCode": codes[number] if done else None,
        }
        yield Update(at, "completions" if done else "progressed" if progress else "started", record)


def _story(chance: random.Random, number: int, start: datetime, span: timedelta) -> Iterator[tuple[datetime, int, int]]:
    """Give when a registration stood at which progress."""
    at = start + timedelta(seconds=chance.randrange(1, int(span.total_seconds())))
    progress = 0
    yield at, number, progress
    while progress < 100 and chance.random() > 0.12:
        progress = min(100, progress + chance.choice((5, 10, 25, 50, 100)))
        at += timedelta(seconds=chance.choice(WAITS) + chance.randrange(60))
        yield at, number, progress


def _learner(chance: random.Random, number: int) -> Record:
    return {
        "firstName": chance.choice(FIRST_NAMES),
        "lastName": chance.choice(LAST_NAMES),
        "email": f"learner.{number}@example.invalid",
        "memberIdentifier": f"{100_000 + number}" if number % 5 else None,
    }


def _registration(chance: random.Random, number: int, *, odd: bool) -> str:
    if odd and number % 17 == 0:
        return f"44590u89-111a-6859-b899-3940dhbk{number}"  # the page's own sample is no UUID either
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _code(chance: random.Random, *, odd: bool) -> str:
    if odd and chance.random() < 0.05:
        return "Fake Code"
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))
