"""Pushes: what travels together, how it is authenticated, how often it is tried, and what goes wrong."""

import contextlib
import json
import ssl
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import trustme

from progress_pipeline.sandbox.config import Span
from progress_pipeline.sandbox.server import Sandbox
from tests.sandbox.conftest import Receiver, Rows, Start

Receive = Callable[..., Receiver]


def bodies(folder: Path) -> list[dict[str, Any]]:
    """Give all landed bodies, in the order of sending."""
    return [json.loads(path.read_bytes()) for path in sorted(folder.rglob("*.json"))]


def told(folder: Path) -> Counter[int]:
    """Count how often each transaction was pushed into a folder."""
    return Counter(record["transactionId"] for body in bodies(folder) for kind in body.values() for record in kind)


def lost_by(sandbox: Sandbox) -> dict[int, str | None]:
    """Give the reason of each lost update."""
    return {one.update_id: one.lost_because for one in sandbox.truth.lost()}


def test_each_update_is_pushed_once_when_the_clock_passes_it(start: Start, tmp_path: Path) -> None:
    """Nothing is sent before it happened, and all of it after."""
    sandbox = start(push_folder=tmp_path)
    for _ in range(6):
        sandbox.clock.move(timedelta(days=5))
        due = [one for one in sandbox.truth.updates() if one.happened_at < sandbox.clock() - timedelta(seconds=3)]
        assert {one.transaction_id for one in due} <= told(tmp_path).keys()
        assert told(tmp_path).keys() <= {one.transaction_id for one in sandbox.truth.updates()}
    sandbox.clock.move(timedelta(days=1))
    assert told(tmp_path) == Counter(one.transaction_id for one in sandbox.truth.updates())
    assert sandbox.truth.lost() == []


def test_a_bundle_holds_three_lists_by_kind(start: Start, tmp_path: Path) -> None:
    """Updates that happen together travel together, each in the list of its kind, as the API writes them."""
    sandbox = start(push_folder=tmp_path, registrations=300)
    sandbox.clock.move(timedelta(days=31))
    found = bodies(tmp_path)
    assert {tuple(body) for body in found} == {("started", "progressed", "completions")}
    assert max(sum(map(len, body.values())) for body in found) > 1
    kinds = {one.transaction_id: one.kind for one in sandbox.truth.updates()}
    for body in found:
        for name, kind in (("started", "started"), ("progressed", "progressed"), ("completions", "completion")):
            assert all(kinds[record["transactionId"]] == kind for record in body[name])


def test_both_witnesses_write_a_record_alike_unless_told_otherwise(start: Start, rows: Rows, tmp_path: Path) -> None:
    """With mixed forms too; switched to differ, the values stay the same."""
    for is_alike in (True, False):
        folder = tmp_path / str(is_alike)
        sandbox = start(push_folder=folder, times_as="mixed", absent_as="mixed", push_form_differs=not is_alike)
        sandbox.clock.move(timedelta(days=31))
        shown = {int(one["transactionId"]): one for one in rows(sandbox)}
        pushed = {int(one["transactionId"]): one for body in bodies(folder) for kind in body.values() for one in kind}
        assert shown.keys() == pushed.keys()
        assert (shown == pushed) is is_alike
        assert all(int(shown[key]["progress"]) == int(pushed[key]["progress"]) for key in shown)


def test_a_bundle_may_name_only_the_kinds_that_it_has(start: Start, tmp_path: Path) -> None:
    """Empty lists are left out, by switch."""
    sandbox = start(push_folder=tmp_path, push_empty_lists=False)
    sandbox.clock.move(timedelta(days=31))
    assert all(all(body.values()) for body in bodies(tmp_path))
    assert any(len(body) == 1 for body in bodies(tmp_path))


def test_a_push_of_2017_is_one_flat_record_with_the_token(start: Start, tmp_path: Path) -> None:
    """One POST per update."""
    sandbox = start(push_folder=tmp_path, push_shape="flat")
    sandbox.clock.move(timedelta(days=31))
    found = bodies(tmp_path)
    assert len(found) == len(sandbox.truth.updates())
    assert {body["token"] for body in found} == {sandbox.push_token}
    assert all(len(body) == 13 for body in found)


def test_a_file_bears_the_time_of_its_delivery(start: Start, tmp_path: Path) -> None:
    """So that a loader that goes by the file's time sees the sandbox's."""
    sandbox = start(push_folder=tmp_path)
    sandbox.clock.move(timedelta(days=31))
    push = sandbox.truth.pushes()[5]
    (path,) = tmp_path.rglob(f"{push.delivery_id:09}.json")
    assert datetime.fromtimestamp(path.stat().st_mtime, UTC) == push.attempts[-1].at
    assert path.parent.name == push.attempts[-1].at.date().isoformat()


@pytest.mark.parametrize("place", ["query", "header"])
def test_the_token_travels_by_query_or_header(start: Start, receive: Receive, place: str) -> None:
    """Under the name that the receiver asked for; a wrong one in a span."""
    receiver = receive()
    first_day = datetime(2026, 1, 1, tzinfo=UTC)
    sandbox = start(
        push_url=receiver.url,
        push_auth_by=place,
        push_token_name="x-hook-key",
        push_token_value="s3cret",
        wrong_push_token=(Span(first_day, first_day + timedelta(days=9)),),
    )
    sandbox.clock.move(timedelta(days=20))
    tokens = set()
    for path, headers, body in receiver.deliveries:
        tokens.add(path.partition("x-hook-key=")[2] if place == "query" else headers.get("x-hook-key"))
        assert ("s3cret" in path) is (place == "query" and path.endswith("s3cret"))
        assert headers["Content-Type"] == "application/json"
        assert b"s3cret" not in body
    assert tokens == {"s3cret", "not-the-token"}


def test_pushes_reach_a_receiver_by_https_with_a_ca_to_trust(start: Start, receive: Receive, tmp_path: Path) -> None:
    """And a self-signed certificate is refused without it, as by the vendor's sender."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    receiver = receive(context)
    trusting = start(registrations=3, push_url=receiver.url, push_ca_file=tmp_path / "ca.pem")
    trusting.clock.move(timedelta(days=31))
    assert len(receiver.deliveries) == len(trusting.truth.pushes()) > 0
    assert trusting.truth.lost() == []


def test_a_failed_delivery_is_tried_again_and_then_never(start: Start, receive: Receive) -> None:
    """At the spacing that is switched on, in the sandbox's time; what is given up is lost, and only that."""
    receiver = receive()
    delays = (timedelta(seconds=10), timedelta(minutes=5))
    sandbox = start(registrations=1, days=90, push_url=receiver.url, retry_delays=delays)
    receiver.statuses[:] = [500, 503, 200, 404, 404, 404]
    sandbox.clock.move(timedelta(days=91))
    healed, given_up, *later = sandbox.truth.pushes()
    assert [one.outcome.status for one in healed.attempts] == [500, 503, 200]
    times = [one.at for one in healed.attempts]
    assert [second - first for first, second in pairwise(times)] == [*delays]
    assert (healed.is_delivered, given_up.is_delivered, given_up.is_given_up) == (True, False, True)
    assert [one.outcome.status for one in given_up.attempts] == [404, 404, 404]
    assert all(len(push.attempts) == 1 for push in later)
    assert {one.update_id: one.lost_because for one in sandbox.truth.lost()} == dict.fromkeys(
        given_up.update_ids, "refused"
    )


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


def test_what_happened_before_the_clock_began_is_not_pushed(start: Start, tmp_path: Path) -> None:
    """A customer subscribes at some time; the API knows what was before."""
    begin = datetime(2026, 1, 15, tzinfo=UTC)
    sandbox = start(push_folder=tmp_path, clock_at=begin)
    before = {one.update_id for one in sandbox.truth.updates() if one.happened_at < begin}
    sandbox.clock.move(timedelta(days=31))
    assert lost_by(sandbox) == dict.fromkeys(before, "before_start")


def test_with_nowhere_to_go_pushes_are_lost_until_a_receiver_is_named(start: Start, tmp_path: Path) -> None:
    """The target can be named while the sandbox runs."""
    sandbox = start()
    sandbox.clock.move(timedelta(days=15))
    sandbox.change(push_folder=tmp_path)
    sandbox.clock.move(timedelta(days=16))
    reasons = Counter(one.lost_because for one in sandbox.truth.updates())
    assert reasons["no_receiver"] > 0
    assert reasons[None] == len(told(tmp_path)) > 0
