"""Pushes: what travels together, how it is authenticated, how often it is tried, and where it goes."""

import ssl
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import trustme

from progress_pipeline.sandbox.config import Span
from tests.sandbox.conftest import Receiver, Rows, Start
from tests.sandbox.pushed import bodies, lost_by, told

Receive = Callable[..., Receiver]


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
