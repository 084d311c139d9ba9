"""Each point that nobody knows of the vendor is a switch that does what it says."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from progress_pipeline.sandbox.server import Sandbox
from tests.sandbox.conftest import Ask, Rows, Start

ALL_DAYS = {"startDate": "2026-01-01T00:00:00Z", "endDate": "2026-02-01T00:00:00Z"}


def played(start: Start, **switches: Any) -> Sandbox:
    """Start a sandbox and let all of its events happen."""
    sandbox = start(**switches)
    sandbox.clock.move(timedelta(days=31))
    return sandbox


def test_the_range_is_held_against_the_date_that_is_switched_on(start: Start, rows: Rows) -> None:
    """Last change, start, or completion."""
    span = {"startDate": "2026-01-10T00:00:00", "endDate": "2026-01-20T00:00:00"}
    for switch, field in (("started", "dateStarted"), ("completed", "dateCompleted")):
        found = rows(played(start, filter_on=switch, undated="out"), **span)
        assert found
        assert all("2026-01-10" <= record[field] < "2026-01-20" for record in found)
    sandbox = played(start, filter_on="last_change")
    changed = [update for update in sandbox.truth.updates() if 10 <= update.happened_at.day < 20]
    assert {record["transactionId"] for record in rows(sandbox, **span)} == {one.transaction_id for one in changed}


@pytest.mark.parametrize("is_in", [True, False])
def test_each_end_of_the_range_is_in_or_out(start: Start, rows: Rows, *, is_in: bool) -> None:
    """A row that lies on an end comes or does not."""
    switch = "inclusive" if is_in else "exclusive"
    sandbox = played(start, start_is=switch, end_is=switch)
    update = sandbox.truth.updates()[30]
    at, day = update.happened_at, timedelta(days=1)
    for first, last in ((at, at + day), (at - day, at)):
        found = rows(sandbox, startDate=first.isoformat(), endDate=last.isoformat())
        assert (update.transaction_id in {record["transactionId"] for record in found}) is is_in


def test_dates_are_read_in_the_zone_that_is_switched_on(start: Start, rows: Rows) -> None:
    """In New York the same digits mean an instant five hours later, whatever the Z says."""
    utc, local = (played(start, registrations=200, dates_read_in=zone) for zone in ("UTC", "America/New_York"))
    expected = rows(utc, startDate="2026-01-10T05:00:00Z", endDate="2026-01-20T05:00:00Z")
    assert rows(utc, startDate="2026-01-10T00:00:00Z", endDate="2026-01-20T00:00:00Z") != expected
    assert rows(local, startDate="2026-01-10T00:00:00Z", endDate="2026-01-20T00:00:00Z") == expected
    assert rows(utc, startDate="2026-01-10T00:00:00-05:00", endDate="2026-01-20T00:00:00-05:00") == expected


def test_dates_may_be_cut_to_the_day_before_they_are_compared(start: Start, rows: Rows) -> None:
    """Then a range of an hour shows its whole day, if the end is in."""
    sandbox = played(start, dates_cut_to="day", end_is="inclusive")
    found = rows(sandbox, startDate="2026-01-10T10:00:00", endDate="2026-01-10T11:00:00")
    assert len(found) == sum(update.happened_at.day == 10 for update in sandbox.truth.updates()) > 0


@pytest.mark.parametrize(("undated", "is_in"), [("in", True), ("out", False)])
def test_rows_without_the_date_are_in_or_out(start: Start, rows: Rows, undated: str, *, is_in: bool) -> None:
    """Under a range, by switch; without one they are there."""
    sandbox = played(start, filter_on="started", undated=undated, undated_share=0.3)
    nameless = {update.transaction_id for update in sandbox.truth.updates() if update.record["dateStarted"] is None}
    assert nameless
    assert nameless <= {record["transactionId"] for record in rows(sandbox)}
    shown = {record["transactionId"] for record in rows(sandbox, **ALL_DAYS)}
    assert nameless <= shown if is_in else nameless.isdisjoint(shown)


def test_dates_may_be_required(start: Start, ask: Ask) -> None:
    """As the sample client of 2017 says."""
    sandbox = start(dates_required=True)
    assert ask(sandbox).status_code == 400
    assert ask(sandbox, **ALL_DAYS).status_code == 200


def test_what_is_asked_for_may_be_too_much(start: Start, ask: Ask) -> None:
    """More records at once, an end after the present, or a longer range are refused; as much is taken."""
    sandbox = start(most_records=100, takes_future=False, longest_range_days=10)
    sandbox.clock.move(timedelta(days=15))
    taken = {"number": 100, "startDate": "2026-01-06T00:00:00Z", "endDate": "2026-01-16T00:00:00Z"}
    assert ask(sandbox, **taken).status_code == 200
    for much in ({"number": 101}, {"endDate": "2026-01-16T00:00:01Z", "startDate": "2026-01-07T00:00:00Z"}):
        assert ask(sandbox, **(taken | much)).status_code == 400
    assert ask(sandbox, **(taken | {"startDate": "2026-01-05T23:59:59Z"})).status_code == 400


def test_start_counts_rows_or_pages_or_nothing(start: Start, rows: Rows) -> None:
    """The same request gives another page."""
    whole = rows(played(start))
    for switch, first in (("rows", 2), ("pages", 20), ("ignored", 0)):
        assert rows(played(start, start_counts=switch), start=2, number=10) == whole[first : first + 10]


def test_a_page_cap_cuts_silently(start: Start, ask: Ask) -> None:
    """Fewer rows come than were asked for, and nothing says so; pages count in capped pages."""
    sandbox = played(start, page_cap=13)
    answer = ask(sandbox, number=1000)
    assert answer.status_code == 200
    assert len(answer.json()["rows"]) == 13 < answer.json()["count"]
    in_pages = played(start, page_cap=13, start_counts="pages")
    assert ask(in_pages, number=1000, start=1).json() == ask(sandbox, number=1000, start=13).json()


def test_sort_takes_transaction_id_or_ignores_it_or_refuses(start: Start, ask: Ask) -> None:
    """Ignored, the rows come by first name as if nothing had been said."""
    accepted = ask(played(start), sort="transactionId").json()["rows"]
    assert [record["transactionId"] for record in accepted] == sorted(record["transactionId"] for record in accepted)
    ignoring = played(start, sort_transaction_id="ignored")
    assert ask(ignoring, sort="transactionId").json() == ask(ignoring, sort="firstName").json()
    assert ask(played(start, sort_transaction_id="error"), sort="transactionId").status_code == 400


def test_ties_stand_still_or_are_shuffled_at_each_call(start: Start, rows: Rows) -> None:
    """Shuffled, the same rows come in the order of the sort key and no other."""
    stable = played(start)
    assert rows(stable, sort="activityTitle") == rows(stable, sort="activityTitle")
    shuffled = played(start, ties="shuffled")
    first, second = (rows(shuffled, sort="activityTitle") for _ in range(2))
    assert first != second
    assert [record["activityTitle"] for record in first] == [record["activityTitle"] for record in second]
    ids = [sorted(record["transactionId"] for record in found) for found in (first, second)]
    assert ids[0] == ids[1]


def test_a_transaction_is_an_update_or_a_registration(start: Start, rows: Rows) -> None:
    """Per update all are listed, or the newest alone; in place there is one per registration, in its last state."""
    every = played(start)
    updates = every.truth.updates()
    assert sorted(record["transactionId"] for record in rows(every)) == [one.transaction_id for one in updates]
    newest = rows(played(start, listed="newest"))
    assert {record["transactionId"] for record in newest} == {
        one.transaction_id for one in every.truth.registrations().values()
    }
    in_place = rows(played(start, transactions="in_place"))
    assert max(Counter(record["transactionId"] for record in in_place).values()) == 1
    shown = {record["registration"]: record["progress"] for record in in_place}
    assert shown == {one.registration: one.record["progress"] for one in every.truth.registrations().values()}


def test_in_place_a_transaction_keeps_its_number_while_it_changes(start: Start, rows: Rows) -> None:
    """Day by day, a registration is told under one transaction."""
    sandbox = start(transactions="in_place")
    numbers: dict[str, int] = {}
    for update in sandbox.truth.updates(to_come=True)[::10]:
        sandbox.clock.set(update.happened_at)
        found = rows(sandbox)
        assert len({record["registration"] for record in found}) == len(found)
        for record in found:
            assert numbers.setdefault(record["registration"], record["transactionId"]) == record["transactionId"]
    assert len(set(numbers.values())) == len(numbers)
    in_order_of_start = list(dict.fromkeys(one.transaction_id for one in sandbox.truth.updates(to_come=True)))
    assert in_order_of_start == sorted(in_order_of_start)


def test_last_change_moves_a_row_out_of_an_older_window(start: Start, rows: Rows) -> None:
    """In place, a row that changes later no longer lies where it was."""
    sandbox = start(transactions="in_place")
    sandbox.clock.set(datetime.fromisoformat("2026-01-10T00:00:00Z"))
    span = {"startDate": "2026-01-01T00:00:00Z", "endDate": "2026-01-10T00:00:00Z"}
    before = {record["transactionId"] for record in rows(sandbox, **span)}
    sandbox.clock.move(timedelta(days=20))
    after = {record["transactionId"] for record in rows(sandbox, **span)}
    assert after < before
