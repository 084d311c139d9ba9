"""Pushes that go wrong: what is lost, late, doubled, garbled or told otherwise, and that the truth says so."""

import contextlib
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from progress_pipeline.sandbox.config import Span
from tests.sandbox.conftest import Rows, Start
from tests.sandbox.pushed import bodies, lost_by, told


def test_a_receiver_that_is_not_there_is_unreachable(start: Start) -> None:
    """The reason stands in the truth."""
    sandbox = start(registrations=2, push_url="http://127.0.0.1:1/hook", retry_delays=())
    sandbox.clock.move(timedelta(days=31))
    assert {one.lost_because for one in sandbox.truth.updates()} == {"unreachable"}


def test_what_happens_in_an_outage_is_never_pushed(start: Start, tmp_path: Path) -> None:
    """Exactly that, and the truth says why."""
    outage = Span(datetime(2026, 1, 10, tzinfo=UTC), datetime(2026, 1, 12, tzinfo=UTC))
    sandbox = start(push_folder=tmp_path, outages=(outage,))
    sandbox.clock.move(timedelta(days=31))
    silent = {one.update_id for one in sandbox.truth.updates() if outage.holds(one.happened_at)}
    assert lost_by(sandbox) == dict.fromkeys(silent, "outage")
    assert not [push for push in sandbox.truth.pushes() for one in push.attempts if outage.holds(one.at)]


def test_late_copies_wait_for_the_end_of_an_outage(start: Start, tmp_path: Path) -> None:
    """A silent sender sends nothing at all."""
    outage = Span(datetime(2026, 1, 10, tzinfo=UTC), datetime(2026, 1, 12, tzinfo=UTC))
    sandbox = start(push_folder=tmp_path, outages=(outage,), shares={"push_late": 1.0})
    sandbox.clock.move(timedelta(days=35))
    attempts = [one.at for push in sandbox.truth.pushes() for one in push.attempts]
    assert outage.end in attempts
    assert not any(outage.holds(at) for at in attempts)


def test_a_receiver_that_is_down_for_a_while_gets_what_the_retries_carry_over(start: Start, tmp_path: Path) -> None:
    """The rest is lost."""
    down = Span(datetime(2026, 1, 10, tzinfo=UTC), datetime(2026, 1, 12, tzinfo=UTC))
    sandbox = start(push_folder=tmp_path, receiver_down=(down,), retry_delays=(timedelta(hours=12),))
    sandbox.clock.move(timedelta(days=31))
    saved_from = down.end - timedelta(hours=12)
    updates = [one for one in sandbox.truth.updates() if down.holds(one.happened_at)]
    lost = {one.update_id for one in updates if one.happened_at < saved_from - timedelta(seconds=3)}
    assert lost
    assert lost_by(sandbox) == dict.fromkeys(lost, "receiver_down")
    assert any(one.delivered_at and one.delivered_at >= down.end for one in updates)


def test_pushes_are_lost_at_random_by_the_seed(start: Start, tmp_path: Path) -> None:
    """The truth tells exactly what was lost; a larger share loses the same and more."""
    few, many = (start(push_folder=tmp_path / str(share), shares={"push_lost": share}) for share in (0.1, 0.3))
    for sandbox in (few, many):
        sandbox.clock.move(timedelta(days=31))
    assert set(lost_by(few).values()) == {"lost"}
    assert lost_by(few).keys() < lost_by(many).keys()
    transactions = {one.transaction_id for one in few.truth.updates() if one.lost_because is None}
    assert told(tmp_path / "0.1").keys() == transactions


def test_pushes_come_late_and_twice(start: Start, tmp_path: Path) -> None:
    """By the delays that are switched on."""
    sandbox = start(push_folder=tmp_path, shares={"push_late": 0.2, "push_twice": 0.2})
    sandbox.clock.move(timedelta(days=35))
    flags = sandbox._pusher.flags
    for one in sandbox.truth.updates():
        assert one.delivered_at is not None
        is_late = one.delivered_at - one.happened_at >= timedelta(days=1)
        if not flags["push_twice"][one.update_id - 1]:
            assert is_late == flags["push_late"][one.update_id - 1]
        assert one.delivered_count == 1 + flags["push_twice"][one.update_id - 1]
    copies = [push for push in sandbox.truth.pushes() if push.is_copy]
    assert len(copies) == flags["push_twice"].sum() > 0


def test_a_push_can_arrive_after_the_one_that_follows_it(start: Start, tmp_path: Path) -> None:
    """A stale update is the last that the receiver hears of a registration for a while."""
    sandbox = start(push_folder=tmp_path, shares={"push_reordered": 0.5})
    sandbox.clock.move(timedelta(days=31))
    overtaken = 0
    last: dict[str, tuple[datetime, datetime]] = {}
    for one in sandbox.truth.updates():
        if one.delivered_at is not None:
            before = last.get(one.registration)
            overtaken += before is not None and before[1] > one.delivered_at and before[0] < one.happened_at
            last[one.registration] = (one.happened_at, one.delivered_at)
    assert overtaken > 3


def test_a_garbled_push_is_taken_but_cannot_be_read(start: Start, tmp_path: Path) -> None:
    """It is lost all the same."""
    sandbox = start(push_folder=tmp_path)
    sandbox.plant("push_garbled", update_id=3)
    sandbox.clock.move(timedelta(days=31))
    assert lost_by(sandbox) == {3: "garbled"}
    garbled = next(push for push in sandbox.truth.pushes() if push.is_garbled)
    assert garbled.is_delivered
    (path,) = tmp_path.rglob(f"{garbled.delivery_id:09}.json")
    with pytest.raises(json.JSONDecodeError):
        json.loads(path.read_bytes())


def test_a_push_can_tell_another_value_than_the_api(start: Start, rows: Rows, tmp_path: Path) -> None:
    """In the field that is switched on, and in no other."""
    sandbox = start(push_folder=tmp_path, differs_in="email")
    sandbox.plant("push_differs", update_id=3)
    sandbox.clock.move(timedelta(days=31))
    shown = {one["transactionId"]: one for one in rows(sandbox)}
    pushed = {one["transactionId"]: one for body in bodies(tmp_path) for kind in body.values() for one in kind}
    changed = {key: {field for field in one if one[field] != pushed[key][field]} for key, one in shown.items()}
    transaction = sandbox.truth.updates()[2].transaction_id
    assert {key: fields for key, fields in changed.items() if fields} == {transaction: {"email"}}


def test_with_all_faults_at_once_the_truth_is_what_the_receiver_has(start: Start, tmp_path: Path) -> None:
    """Each readable copy of each update, and a reason for each that has none."""
    shares = dict.fromkeys(
        ("push_lost", "push_late", "push_twice", "push_reordered", "push_garbled", "push_differs"), 0.3
    )
    day = datetime(2026, 1, 12, tzinfo=UTC)
    sandbox = start(
        push_folder=tmp_path,
        shares=shares,
        outages=(Span(day, day + timedelta(hours=20)),),
        receiver_down=(Span(day + timedelta(days=2), day + timedelta(days=3)),),
        wrong_push_token=(Span(day + timedelta(days=5), day + timedelta(days=6)),),
    )
    sandbox.clock.move(timedelta(days=40))
    received: Counter[int] = Counter()
    for path in tmp_path.rglob("*.json"):
        with contextlib.suppress(json.JSONDecodeError):
            body = json.loads(path.read_bytes())
            received.update(record["transactionId"] for kind in body.values() for record in kind)
    updates = sandbox.truth.updates()
    assert {one.transaction_id: one.delivered_count for one in updates if one.delivered_count} == received
    assert {one.delivered_count > 0 for one in updates if one.lost_because} == {False}
    reasons = {one.lost_because for one in updates if not one.delivered_count}
    assert reasons == {"lost", "garbled", "outage", "receiver_down", "refused"}
