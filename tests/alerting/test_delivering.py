"""What goes out and when: once per gap that opens, once when it closes, never in floods, whatever happens between."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from progress_pipeline.alerting.channels import WebhookChannel
from progress_pipeline.alerting.delivering import waiting
from progress_pipeline.alerting.wording import NAMED
from progress_pipeline.errors import StateError
from tests.alerting.made_up import HOUR, RUN, Runs, closed, gap
from tests.alerting.receiving import Authority, Endpoint
from tests.open_files import open_files


@pytest.fixture
def runs(endpoint: Endpoint, outbox: Path) -> Runs:
    """Runs that tell an endpoint."""
    return Runs(outbox, [WebhookChannel(endpoint.url, ca_file=endpoint.authority.ca_file)])


def told(endpoint: Endpoint) -> list[list[tuple[str, str]]]:
    """Give by message the gaps that it names, each with its event."""
    return [[(each["event"], each["gap_id"]) for each in body["gaps"]] for body in endpoint.bodies]


def test_a_gap_alerts_once_when_it_opens_and_once_when_it_closes(runs: Runs, endpoint: Endpoint) -> None:
    """Over five runs, in three of which nothing is new: two messages."""
    one = gap(1)
    for gaps in ([], [one], [one], [closed(one)], [closed(one)]):
        runs.tell(gaps)
    assert told(endpoint) == [[("opened", "gap-00001")], [("closed", "gap-00001")]]


def test_what_was_found_and_repaired_in_one_run_alerts_once(runs: Runs, endpoint: Endpoint) -> None:
    """A lost completion: the call that found it brought it."""
    one = closed(gap(1, kind="missing_webhook", cause="lost", update_kind="completion"))
    for _ in range(3):
        runs.tell([one])
    assert told(endpoint) == [[("opened_and_closed", "gap-00001")]]
    assert endpoint.bodies[0]["completion_count"] == 1


def test_what_was_only_late_never_alerts(runs: Runs, endpoint: Endpoint) -> None:
    """It came before anybody was told that it was missing."""
    runs.tell([closed(gap(1, cause="late"))])
    assert endpoint.received == []


def test_what_turns_out_late_after_its_alert_is_told_of_no_more_than_any_other(runs: Runs, endpoint: Endpoint) -> None:
    """It opened and closed in one run; that it came after all is no news."""
    runs.tell([closed(gap(1, cause="lost"))])
    runs.tell([closed(gap(1, cause="late"))])
    assert len(endpoint.received) == 1


def test_a_gap_that_is_judged_anew_is_told_of_as_withdrawn(runs: Runs, endpoint: Endpoint) -> None:
    """It was told of as open, and no run knows it any more."""
    runs.tell([gap(1)])
    runs.tell([])
    runs.tell([])
    assert [body["withdrawn_count"] for body in endpoint.bodies] == [0, 1]


def test_one_message_tells_of_a_whole_run_and_names_a_few(runs: Runs, endpoint: Endpoint) -> None:
    """Five thousand gaps: one message of some kilobytes, completions first."""
    runs.tell([gap(number, update_kind="completion" if number == 4711 else "progressed") for number in range(5000)])
    ((_, body),) = endpoint.received
    (read,) = endpoint.bodies
    assert (read["opened_count"], len(read["gaps"]), read["unnamed_count"]) == (5000, NAMED, 5000 - NAMED)
    assert read["gaps"][0]["gap_id"] == "gap-04711"
    assert len(body) < 20_000


def test_a_channel_that_is_away_for_a_day_gets_two_messages_when_it_is_back(authority: Authority, outbox: Path) -> None:
    """Hourly runs, each with a gap of its own: all are told of, none twice, and no run fails."""
    endpoint = Endpoint(authority)
    with endpoint.up():
        pass  # it has a port now, and is away
    runs = Runs(outbox, [WebhookChannel(endpoint.url, ca_file=authority.ca_file)])
    gaps = []
    for hour in range(24):
        gaps.append(gap(hour))
        assert "ConnectError" in runs.tell(gaps, RUN + hour * HOUR)["webhook"]
    (waits,) = waiting(outbox)
    assert (waits["made_at"], waits["try_count"]) == (RUN, 24)
    with endpoint.up():
        assert runs.tell(gaps, RUN + 24 * HOUR) == {}
        assert runs.tell(gaps, RUN + 25 * HOUR) == {}
    assert [body["opened_count"] for body in endpoint.bodies] == [1, 23]
    assert waiting(outbox) == []


def test_a_channel_that_refuses_holds_no_other_back(endpoint: Endpoint, authority: Authority, outbox: Path) -> None:
    """Each channel has its own place in the outbox."""
    away = Endpoint(authority)
    with away.up():
        pass
    good, bad = (WebhookChannel(each.url, ca_file=authority.ca_file, name=each.url) for each in (endpoint, away))
    assert set(Runs(outbox, [bad, good]).tell([gap(1)])) == {away.url}
    assert told(endpoint) == [[("opened", "gap-00001")]]


def test_a_message_that_was_not_taken_is_sent_as_it_was_under_the_same_id(runs: Runs, endpoint: Endpoint) -> None:
    """So that a receiver that answered too late can tell that it has it."""
    endpoint.status = 503
    runs.tell([gap(1)])
    endpoint.status = 200
    runs.tell([gap(1), gap(2)])
    names = [headers["webhook-id"] for headers, _ in endpoint.received]
    assert names[0] == names[1] == names[2] != names[3]
    assert endpoint.bodies[0] == endpoint.bodies[2]
    assert told(endpoint)[3] == [("opened", "gap-00002")]


TELL = """
import sys
from pathlib import Path
from progress_pipeline.alerting.channels import WebhookChannel
from tests.alerting.made_up import Runs, gap
Runs(Path(sys.argv[1]), [WebhookChannel(sys.argv[2], ca_file=Path(sys.argv[3]))]).tell([gap(1)])
"""


def test_a_run_killed_before_it_noted_that_it_sent_sends_the_same_again(runs: Runs, endpoint: Endpoint) -> None:
    """Twice rather than never, and under one id; the run after that sends nothing."""
    arguments = [sys.executable, "-c", TELL, str(runs.path), endpoint.url, str(endpoint.authority.ca_file)]
    with subprocess.Popen(arguments) as process:  # noqa: S603 - ourselves
        endpoint.on_post = lambda: os.kill(process.pid, signal.SIGKILL)
        assert process.wait(timeout=30) == -signal.SIGKILL
    endpoint.on_post = lambda: None
    runs.tell([gap(1)])
    runs.tell([gap(1)])
    assert told(endpoint) == [[("opened", "gap-00001")]] * 2
    assert len({headers["webhook-id"] for headers, _ in endpoint.received}) == 1


def test_two_runs_at_once_send_one_message(runs: Runs, endpoint: Endpoint) -> None:
    """The second leaves the sending to the first."""

    def tell_meanwhile() -> None:
        runs.tell([gap(1)])

    endpoint.on_post = tell_meanwhile
    runs.tell([gap(1)])
    assert len(endpoint.received) == 1


def test_an_outbox_that_cannot_be_used_says_what_to_do(runs: Runs) -> None:
    """A file that is no database; it is let go of at once."""
    runs.path.parent.mkdir()
    runs.path.write_bytes(b"no database, but longer than a header would be, to be sure of it" * 20)
    with pytest.raises(StateError, match="move it away") as raised:
        runs.tell([gap(1)])
    assert runs.path not in open_files(), raised


def test_what_waits_is_told_with_the_reason(runs: Runs, endpoint: Endpoint) -> None:
    """For `status`."""
    endpoint.status = 401
    runs.tell([gap(1)])
    (waits,) = waiting(runs.path)
    assert (waits["channel"], waits["subject"], waits["error"]) == ("webhook", "1 gap open", "127.0.0.1 answered 401")


def test_no_person_is_in_an_outbox(runs: Runs) -> None:
    """Transactions and causes, no registration and no value of a field."""
    runs.tell([gap(1, kind="field_mismatch", cause="vendor_contradicts_itself")])
    with sqlite3.connect(runs.path) as connection:
        ((body,),) = connection.execute("select body from messages").fetchall()
    connection.close()
    assert "registration" not in body
    assert "differing" not in body
