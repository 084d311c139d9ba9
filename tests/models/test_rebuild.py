"""Marts made by daily builds are those that a rebuild from raw makes, views and the newest marts among them.

What is played has every trap in it, by a seed: learners with several registrations, restarts, completions again, late
and repeated pushes, names and titles that change, an activity whose validity changes.
"""

from random import Random
from typing import Any

from progress_pipeline.orchestration.models import COUNTED
from tests.models.play import DAY, FIRST_DAY, HOUR, Raw, all_models, record

MARTS = [model.name for model in all_models() if model.schema == "marts"]
RUNS = 5


class Player:
    """Makes up what happens from one run to the next, and tells it to raw."""

    def __init__(self, raw: Raw, seed: int) -> None:
        self.raw = raw
        self.chance = Random(seed)  # noqa: S311 - a test needs no secrecy
        self.progress: dict[int, int] = {}
        self.transaction = 0
        self.late: list[tuple[str, dict[str, Any]]] = []

    def play(self, day: int) -> None:
        """Let a day happen: what the API shows at its end, what was pushed in it, and what comes late from before."""
        at = FIRST_DAY + (day + 1) * DAY + 5 * HOUR
        happened = [self._update(day) for _ in range(25)]
        self.raw.told_by_api(at, *(one for _, one in happened if self.chance.random() < 0.95))
        for kind, one in [*happened, *self.late]:
            for _ in range(self.chance.choice((0, 1, 1, 1, 2))):
                self.raw.told_by_webhook(at - self.chance.random() * DAY, kind, one)
        self.late = self.chance.sample(happened, 4)
        if day in {1, 3}:
            rule = {"activity_id": "https://example.invalid/1", "valid_days": 4 - day}
            self.raw.insert("activity_validities", [{"position": 0, **rule}])

    def _update(self, day: int) -> tuple[str, dict[str, Any]]:
        """Move one of some registrations on, to its completion, or back to the beginning."""
        self.transaction += 1
        number = self.chance.randrange(30)
        is_done = self.progress.get(number, 0) >= 60 and self.chance.random() < 0.6
        begins = self.progress.get(number, 100) >= 100
        self.progress[number] = 0 if begins else 100 if is_done else self.progress[number] + 20
        learner, activity = number % 9, number % 4
        return "completion" if is_done else "started" if begins else "progressed", record(
            transaction_id=self.transaction,
            registration=f"r-{number}",
            first_name=f"F{learner}",
            last_name=f"L{learner}" if day < 3 else f"L{learner % 2}",
            email=self.chance.choice(("l{}@x.example", "L{}@X.example", "l{}@new.example")).format(learner),
            member_identifier=str(learner) if learner else "",
            activity_id=f"https://example.invalid/{activity}",
            activity_title=f"Activity {activity}{' anew' if day == 2 and activity == 1 else ''}",
            date_started="" if number == 7 else f"2026-01-0{1 + number % 3}T08:00:00",
            progress=self.progress[number],
            date_completed=f"2026-01-0{1 + day}T12:00:00" if is_done and number != 8 else "",
            completion_code=f"00000000-0000-4000-8000-{self.transaction:012d}" if is_done else "",
        )


def marts(raw: Raw) -> dict[str, list[tuple[Any, ...]]]:
    """Give the rows of every mart."""
    return {name: raw.table(name, "*") for name in MARTS}


def test_daily_builds_give_the_marts_of_a_rebuild(raw: Raw) -> None:
    """Row for row and column for column, and none of them is empty."""
    player = Player(raw, seed=2)
    for day in range(RUNS):
        player.play(day)
        raw.build()
    daily = marts(raw)
    raw.build(full_refresh=True)
    rebuilt = marts(raw)
    assert [name for name in MARTS if daily[name] != rebuilt[name]] == []
    assert [name for name in MARTS if not daily[name]] == []
    for view, table in COUNTED.items():
        assert len(daily[view]) == len(raw.table(table, "1"))
    for model in all_models():
        for text, number in model.found_by:
            assert raw.table(model.name, number, "1") == raw.table(model.name, f"text_number({text})", "1")
        for through, column in model.found_through:
            (by,) = next(each for each in all_models() if each.name == through).incremental_by
            beside = {row for row in raw.table(model.name, f"{by}, {column}") if row[1] is not None}
            listed = set(raw.table(through, f"{by}, {column}"))
            assert beside
            assert beside <= listed
            assert beside == listed or through in model.depends_on
    states = dict(raw.values("select status, count(*) from marts.fct_certifications group by all"))
    assert {"lapsed", "renewed", "current"} <= states.keys()
