"""What a made-up world is like."""

from collections import Counter
from datetime import timedelta

from progress_pipeline.sandbox.config import SandboxConfig
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
