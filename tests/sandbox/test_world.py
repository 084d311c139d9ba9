"""What a made-up world is like."""

from collections import Counter
from datetime import timedelta
from typing import get_args

from progress_pipeline.sandbox.config import OddFact, Planted, SandboxConfig
from progress_pipeline.sandbox.making import make_world
from progress_pipeline.sandbox.server import Sandbox


def test_the_same_seed_makes_the_same_world_and_another_seed_another() -> None:
    """Everything made up follows from the seed."""
    first, again, other = (make_world(SandboxConfig(seed=seed, registrations=60)) for seed in (3, 3, 4))
    assert first.table.equals(again.table)
    assert first.at.tolist() == again.at.tolist()
    assert not first.table.equals(other.table)


def test_a_world_has_what_makes_such_data_hard() -> None:
    """Several scripts, ties in names and instants, learners with several registrations, some that never complete."""
    world = make_world(SandboxConfig())
    records = world.table.to_pylist()
    registrations = {record["registration"]: record for record in records}
    assert len(registrations) == 500
    assert any(not record["lastName"].isascii() for record in records)
    for field in ("firstName", "lastName", "activityTitle", "dateStarted"):
        assert max(Counter(str(record[field]) for record in registrations.values()).values()) > 1
    assert max(Counter(record["email"] for record in registrations.values()).values()) > 1
    completed = sum(record["dateCompleted"] is not None for record in registrations.values())
    assert 150 < completed < 400
    assert any(record["dateStarted"] is None for record in records)
    assert max(Counter(world.at.tolist()).values()) > 1


def test_progress_never_falls_and_ends_with_completion() -> None:
    """Without planted oddities a registration's updates are in order."""
    with Sandbox(SandboxConfig(registrations=200)) as sandbox:
        sandbox.clock.move(timedelta(days=60))
        last: dict[str, tuple[float, str]] = {}
        for update in sandbox.truth.updates():
            progress, kind = last.get(update.registration, (0.0, "started"))
            assert update.record["progress"] >= progress
            assert kind != "completion"
            last[update.registration] = (update.record["progress"], update.kind)


def test_planted_oddities_are_in_the_facts_themselves() -> None:
    """By share and by name: progress that falls or is out of range, completions without code or date."""
    plain = make_world(SandboxConfig()).table.to_pylist()
    for fact in get_args(OddFact):
        odd = make_world(SandboxConfig(odd_facts={fact: 0.3})).table.to_pylist()
        changed = [(one, other) for one, other in zip(plain, odd, strict=True) if one != other]
        field = {"completion_uncoded": "completionCode", "completion_undated": "dateCompleted"}.get(fact, "progress")
        assert changed
        assert all({name for name in one if one[name] != other[name]} == {field} for one, other in changed)
    completion = next(row for row, record in enumerate(plain) if record["dateCompleted"])
    planted = make_world(SandboxConfig(planted=(Planted("completion_uncoded", update_id=completion + 1),)))
    assert planted.table.to_pylist()[completion]["completionCode"] is None


def test_people_and_titles_are_renamed_as_time_goes_by() -> None:
    """Later updates carry the new name, and a respelled registration another spelling of the same address."""
    plain = make_world(SandboxConfig())
    changed = make_world(SandboxConfig(renamed_share=0.5, retitled_share=0.5, respelled_share=0.3))
    for field, numbers in (("lastName", plain.learner), ("activityTitle", plain.activity)):
        pairs = zip(numbers.tolist(), plain.values(field), changed.values(field), strict=True)
        is_renamed: dict[int, bool] = {}
        for number, old, new in pairs:
            assert not (is_renamed.get(number) and new == old)
            is_renamed[number] = new != old
        assert {*is_renamed.values()} == {True, False}
    emails = [*zip(plain.values("email"), changed.values("email"), strict=True)]
    assert any(old != new for old, new in emails)
    assert all(old == new.lower() for old, new in emails)


def test_hostile_names_are_told_as_they_are() -> None:
    """Markup, formulas and control characters, by share."""
    names = set(make_world(SandboxConfig(hostile_share=0.5)).values("firstName"))
    assert {"<script>alert(1)</script>", "Tab\tand\nline"} <= names


def test_a_world_can_be_empty() -> None:
    """Nobody ever did anything."""
    with Sandbox(SandboxConfig(registrations=0, junk_rows=3, renamed_share=0.5)) as sandbox:
        sandbox.clock.move(timedelta(days=60))
        assert sandbox.truth.updates() == []
