"""What happens in a made-up world: who registers for what, and how far each comes.

Everything follows from the seed. Some registrations complete, some stall, some never move; some learners come in
bursts, as a class does, so that many updates share one instant. What goes wrong with it is the matter of `oddities`.
"""

from dataclasses import dataclass
from random import Random
from typing import Any

import pyarrow as pa

from progress_pipeline.sandbox.chance import generator, made_uuid
from progress_pipeline.sandbox.config import WorldSwitches
from progress_pipeline.sandbox.instants import DAY, SECOND, to_us
from progress_pipeline.sandbox.people import Activity, Learner, make_activities, make_learners
from progress_pipeline.sandbox.world import COMPLETION, PROGRESSED, SCHEMA, STARTED, World, make_columns

HOUR = 3600 * SECOND
MILLISECOND = SECOND // 1000
IN_BURST, AT_ONCE, COMPLETES, STALLS = 0.2, 0.04, 0.6, 0.85
"""Shares: of registrations in a burst, that are a single completion (an event attended), that complete, that at least
begin (the rest never moves)."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One update of one registration."""

    at: int
    registration: int
    kind: int
    progress: float
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Registration:
    """What is the same in all updates of one registration."""

    registration_id: str
    learner: int
    activity: int
    started_at: int | None


@dataclass(frozen=True)
class Telling:
    """What the story of one registration needs."""

    switches: WorldSwitches
    chance: Random
    learners: list[Learner]
    activities: list[Activity]
    bursts: list[int]
    first: int
    last: int


def make_up(switches: WorldSwitches) -> World:
    """Make all updates of a made-up world, in no order and with no transactions."""
    chance = generator(switches.seed, "happenings")
    first = to_us(switches.start_at)
    last = first + switches.days * DAY
    bursts = [_moment(switches, chance, first, last) for _ in range(max(1, switches.days // 5))]
    telling = Telling(switches, chance, make_learners(switches), make_activities(switches), bursts, first, last)
    happenings: list[Happening] = []
    registrations = [_tell(telling, number, happenings) for number in range(switches.registrations)]
    return _assemble(happenings, registrations, telling)


def _assemble(happenings: list[Happening], registrations: list[Registration], telling: Telling) -> World:
    of = [registrations[one.registration] for one in happenings]
    people = [telling.learners[one.learner] for one in of]
    activities = [telling.activities[one.activity] for one in of]
    columns: list[list[Any]] = [
        [None] * len(happenings),
        [one.first_name for one in people],
        [one.last_name for one in people],
        [one.email for one in people],
        [one.member_identifier for one in people],
        [one.iri for one in activities],
        [one.title for one in activities],
        [one.registration_id for one in of],
        [one.started_at for one in of],
        [one.progress for one in happenings],
        [one.at if one.kind == COMPLETION else None for one in happenings],
        [one.code for one in happenings],
    ]
    arrays = [pa.array(values, column.type) for values, column in zip(columns, SCHEMA, strict=True)]
    beside = (
        (one.at for one in happenings),
        (one.kind for one in happenings),
        (one.registration for one in happenings),
        (one.learner for one in of),
        (one.activity for one in of),
    )
    return World(pa.Table.from_arrays(arrays, schema=SCHEMA), **make_columns(beside))


def _moment(switches: WorldSwitches, chance: Random, first: int, last: int) -> int:
    grain = MILLISECOND if switches.milliseconds else SECOND
    return chance.randrange(first, last) // grain * grain


def _tell(telling: Telling, number: int, happenings: list[Happening]) -> Registration:
    """Tell one registration's story as far as the world's last instant; adds its updates."""
    chance, switches = telling.chance, telling.switches
    learner = chance.randrange(len(telling.learners))
    # The first activities are the popular ones.
    activity = min(chance.randrange(len(telling.activities)) for _ in range(2))
    is_in_burst = chance.random() < IN_BURST
    started_at = _moment(switches, chance, telling.first, telling.last)
    if is_in_burst:
        started_at = min(chance.choice(telling.bursts) + chance.randrange(3) * SECOND, telling.last - 1)
    is_undated = chance.random() < switches.undated_share
    story = _story(telling, telling.activities[activity], number, started_at, is_in_burst=is_in_burst)
    happenings.extend(one for one in story if one.at < telling.last)
    registration_id = made_uuid(switches.seed, f"registration {number}")
    return Registration(registration_id, learner, activity, None if is_undated else started_at)


def _story(telling: Telling, activity: Activity, number: int, started_at: int, *, is_in_burst: bool) -> list[Happening]:
    """Give the updates of one registration, some of them after the world's last instant."""
    chance = telling.chance
    code = made_uuid(telling.switches.seed, f"completion {number}")
    if chance.random() < AT_ONCE:
        return [Happening(started_at, number, COMPLETION, 100.0, code)]
    fate = chance.random()
    lessons = activity.lesson_count
    done = lessons if fate < COMPLETES else chance.randrange(lessons) if fate < STALLS else 0
    story = [Happening(started_at, number, STARTED, 0.0)]
    at = started_at
    for lesson in range(1, done + 1):
        at += _pause(telling, is_in_burst=is_in_burst)
        progress = float(100 * lesson // lessons)
        if lesson < lessons or fate < COMPLETES * 0.05:  # some reach 100 % and complete later
            story.append(Happening(at, number, PROGRESSED, progress))
    if fate < COMPLETES:
        at += _pause(telling, is_in_burst=is_in_burst) if story[-1].progress == 100.0 else 0  # noqa: PLR2004 - per cent
        story.append(Happening(at, number, COMPLETION, 100.0, code))
    return story


def _pause(telling: Telling, *, is_in_burst: bool) -> int:
    """Give the time to the next lesson: minutes within a class, otherwise hours to days."""
    if is_in_burst:
        return telling.chance.randrange(5, 60) * 60 * SECOND
    length = int(telling.chance.expovariate(1 / (2.5 * DAY)))
    grain = MILLISECOND if telling.switches.milliseconds else SECOND
    return (length // grain + 1) * grain
