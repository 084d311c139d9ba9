"""Made-up learners and activities, in many scripts, with ties in every name.

Faker gives a pool of names per locale, once per process; a world picks from the pools by its own seed.
"""

from dataclasses import dataclass
from functools import lru_cache
from random import Random

from faker import Faker

from progress_pipeline.sandbox.chance import generator
from progress_pipeline.sandbox.config import WorldSwitches

LOCALES = (
    "en_US",
    "de_DE",
    "fr_FR",
    "pl_PL",
    "tr_TR",
    "ru_RU",
    "el_GR",
    "ar_SA",
    "he_IL",
    "hi_IN",
    "th_TH",
    "zh_CN",
    "ja_JP",
)
POOL_SIZE = 40
HOSTILE_NAMES = (
    "<script>alert(1)</script>",
    '=HYPERLINK("http://example.invalid","x")',
    "+1+cmd|' /C calc'!A0",
    "Robert'); drop table students;--",
    'Quote"Back\\slash',
    "Tab\tand\nline",
    "\u202eright to left",
    "e\u0301 is not \u00e9",
    "\U0001f9d1\u200d\U0001f393",
    "x" * 100,
    "  spaced  ",
    "null",
    "| a | b |",
)
HOSTILE_TITLE = '<img src=x onerror="alert(1)">,=1+1'
SUBJECTS = (
    "Concussion Awareness",
    "Safe Sport",
    "Coaching Ethics",
    "First Aid",
    "Anti-Doping",
    "Referee Basics",
    "Nutrition for Athletes",
    "Inclusive Coaching",
    "Sécurité aquatique",
    "Jugendschutz im Verein",
    "公平竞赛",
    "Безопасность на льду",
    "ความปลอดภัยในสนาม",
    "Álgebra & juego limpio",
)


@dataclass(frozen=True, slots=True)
class Learner:
    """A person who takes activities."""

    first_name: str
    last_name: str
    email: str
    member_identifier: str | None


@dataclass(frozen=True, slots=True)
class Activity:
    """Something to be learned, in a number of lessons."""

    iri: str
    title: str
    lesson_count: int


@lru_cache
def name_pool(locale: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give first and last names of one locale, the same in every process."""
    faker = Faker(locale, providers=["faker.providers.person"])  # the rest of Faker takes longer to load than to use
    faker.seed_instance(77)
    firsts = tuple(faker.first_name()[:100] for _ in range(POOL_SIZE))
    lasts = tuple(faker.last_name()[:100] for _ in range(POOL_SIZE))
    return firsts, lasts


def make_learners(switches: WorldSwitches) -> list[Learner]:
    """Make learners, fewer than registrations, so that many have several."""
    chance = generator(switches.seed, "learners")
    return [_make_learner(switches, chance, number) for number in range(max(1, round(switches.registrations * 0.4)))]


def _make_learner(switches: WorldSwitches, chance: Random, number: int) -> Learner:
    firsts, lasts = name_pool(chance.choice(LOCALES))
    first_name, last_name = chance.choice(firsts), chance.choice(lasts)
    if chance.random() < switches.hostile_share:
        first_name = chance.choice(HOSTILE_NAMES)
    has_identifier = chance.random() < {"given": 1.0, "some": 0.85, "absent": 0.0}[switches.member_identifier]
    return Learner(
        first_name,
        last_name,
        f"learner{number + 1}@example.invalid",
        f"M{100_000 + number}" if has_identifier else None,
    )


def make_activities(switches: WorldSwitches) -> list[Activity]:
    """Make activities; past the list of subjects, titles repeat with another level, and two may share one title."""
    chance = generator(switches.seed, "activities")
    made = []
    for number in range(switches.activities):
        level = number // len(SUBJECTS)
        title = SUBJECTS[number % len(SUBJECTS)] + (f", level {level}" if level > 1 else "")
        if switches.hostile_share > 0 and number == 1:
            title = HOSTILE_TITLE
        made.append(Activity(f"https://example.invalid/activity/{number + 1}", title, chance.choice((1, 3, 4, 5, 8))))
    return made
