"""A probe finds out what can be found out with twelve calls, is never wrong, and is made again when contradicted."""

import json
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from progress_pipeline.clock import frozen_clock
from progress_pipeline.sandbox.config import SandboxConfig
from progress_pipeline.sandbox.server import Sandbox
from progress_pipeline.vendor.answers import Answers
from progress_pipeline.vendor.client import VendorClient
from progress_pipeline.vendor.ledger import CallLedger
from progress_pipeline.vendor.probe import PROBE_CALLS, probe
from tests.vendor.conftest import MakePlay
from tests.vendor.playing import Play, SandboxTransport

DAYS = 210
NAMES_ALONE = frozenset({"lastName"})
BEHIND = {"UTC": (0, 0), "America/Denver": (6 * 3600, 7 * 3600), "Pacific/Kiritimati": (-14 * 3600, -14 * 3600)}
"""How far behind UTC a zone is, at least and at most: what is asked for as 07:00 is taken for so much later."""


def _probed(
    page_size: int = 100,
    sorts: frozenset[str] | None = None,
    kind: type[SandboxTransport] = SandboxTransport,
    **switches: Any,
) -> tuple[Answers, int]:
    """Probe a vendor of half a year; give what is known then, and the calls that it took by the vendor's count."""
    sandbox = Sandbox(SandboxConfig(**{"registrations": 30, "days": DAYS} | switches))
    sandbox.clock.move(timedelta(days=DAYS + 1))
    clock, transport = frozen_clock(sandbox.clock()), kind(sandbox, sorts=sorts)
    with (
        tempfile.TemporaryDirectory() as folder,
        CallLedger(Path(folder) / "calls.sqlite", daily_calls=500, clock=clock) as ledger,
        VendorClient("http://127.0.0.1/", sandbox.token, ledger, clock=clock, transport=transport) as client,
    ):
        answers = Answers.load(ledger)
        probe(client, answers, now=sandbox.clock(), page_size=page_size)
    return answers, transport.calls


@pytest.mark.parametrize(
    ("switches", "question", "answer"),
    [
        ({}, "start_unit", "rows"),
        ({"start_counts": "pages"}, "start_unit", "pages"),
        ({"start_counts": "ignored"}, "start_unit", "ignored"),
        ({"count": "missing"}, "start_unit", "rows"),
        ({"page_cap": 30}, "page_cap", 30),
        ({}, "page_cap", None),
        ({}, "count_is", "total"),
        ({"count": "page"}, "count_is", None),
        ({}, "order", "granted"),
        ({"sort_transaction_id": "ignored"}, "order", "ignored"),
        ({"sort_transaction_id": "error"}, "order", "refused"),
        ({"sorts": NAMES_ALONE, "ties": "stable"}, "paging", "steady"),
        ({"sorts": NAMES_ALONE, "ties": "shuffled"}, "paging", "moving"),
        ({}, "start_date", "inclusive"),
        ({"start_is": "exclusive"}, "start_date", "exclusive"),
        ({}, "end_date", "exclusive"),
        ({"end_is": "inclusive"}, "end_date", "inclusive"),
        ({}, "grain", "second"),
        ({"dates_cut_to": "day", "end_is": "inclusive"}, "grain", "day"),
        ({"dates_cut_to": "day"}, "grain", None),
        ({"filter_on": "started"}, "zone", [0, 0]),
        ({}, "envelope", "rows"),
        ({"envelope": "array"}, "envelope", "array"),
        ({}, "transactions", "an update each"),
        ({"transactions": "in_place"}, "transactions", "updated in place, or only the newest is listed"),
        ({"listed": "newest"}, "transactions", "updated in place, or only the newest is listed"),
        ({"registrations": 0}, "order", None),
    ],
)
def test_each_open_question_is_answered_where_a_few_calls_can_show_it(
    switches: dict[str, Any], question: str, answer: Any
) -> None:
    """One by one; what twelve calls cannot show stays unknown."""
    answers, calls = _probed(**switches)
    assert answers.get(question) == answer
    assert calls <= PROBE_CALLS == 12


@pytest.mark.parametrize(
    ("filter_on", "possible"),
    [
        ("started", {"started", "changed"}),
        ("completed", {"completed", "changed"}),
        ("last_change", {"completed", "changed"}),
    ],
)
def test_the_date_of_the_filter_is_narrowed_down(filter_on: str, possible: set[str]) -> None:
    """A completed record changed last when it was completed, so these two cannot be told apart by one."""
    assert _probed(filter_on=filter_on)[0].filter_dates == possible


@pytest.mark.parametrize("zone", list(BEHIND))
def test_a_zone_is_found_to_some_hours(zone: str) -> None:
    """The bounds hold the offset of summer and winter, and leave hours of slack in place of a day and more."""
    answers, _ = _probed(dates_read_in=zone, filter_on="completed")
    low, high = answers.get("zone")
    assert low <= BEHIND[zone][0] <= BEHIND[zone][1] <= high
    assert high - low <= 4 * 3600


VENDORS = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 50),
        "page_size": st.sampled_from([20, 50, 1000]),
        "transactions": st.sampled_from(["per_update", "in_place"]),
        "filter_on": st.sampled_from(["last_change", "started", "completed", "completed_or_started"]),
        "undated": st.sampled_from(["in", "out"]),
        "start_is": st.sampled_from(["inclusive", "exclusive"]),
        "end_is": st.sampled_from(["inclusive", "exclusive"]),
        "dates_read_in": st.sampled_from(list(BEHIND)),
        "dates_cut_to": st.sampled_from(["instant", "second", "day"]),
        "start_counts": st.sampled_from(["rows", "pages", "ignored"]),
        "page_cap": st.sampled_from([None, 30]),
        "sort_transaction_id": st.sampled_from(["accepted", "ignored", "error"]),
        "sorts": st.sampled_from([None, NAMES_ALONE]),
        "ties": st.sampled_from(["stable", "shuffled"]),
        "envelope": st.sampled_from(["rows", "array", "object"]),
        "count": st.sampled_from(["total", "page", "missing"]),
        "junk_rows": st.sampled_from([0, 5]),
        "milliseconds": st.booleans(),
    }
)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(vendor=VENDORS)
def test_no_answer_is_wrong_and_no_probe_takes_more_than_it_says(vendor: dict[str, Any]) -> None:
    """Whatever the vendor is: an answer is the truth, or there is none."""
    answers, calls = _probed(**vendor)
    assert calls <= PROBE_CALLS
    truth = {
        "start_unit": vendor["start_counts"],
        "page_cap": vendor["page_cap"],
        "count_is": "total" if vendor["count"] == "total" else None,
        "order": "granted"
        if vendor["sort_transaction_id"] == "accepted" and vendor["sorts"] is None
        else answers.get("order"),
        "start_date": vendor["start_is"],
        "end_date": vendor["end_is"],
    }
    told = {question: answers.get(question) for question in truth}
    assert {name: answer for name, answer in told.items() if answer not in {None, truth[name]}} == {}
    filter_on = {"last_change": "changed", "completed_or_started": "completed"}.get(vendor["filter_on"])
    assert (filter_on or vendor["filter_on"]) in answers.filter_dates
    assert answers.get("grain") != "second" or vendor["dates_cut_to"] != "day"
    low, high = answers.get("zone") or (-14 * 3600, 14 * 3600)
    assert low <= BEHIND[vendor["dates_read_in"]][0] <= BEHIND[vendor["dates_read_in"]][1] <= high


class OnceEmpty(SandboxTransport):
    """Answers the first question that asks for a record beside its instant with nothing, as by a fault."""

    has_failed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        answer, asked = super().handle_request(request), json.loads(request.read())
        start, end = (datetime.fromisoformat(asked[name]) for name in ("startDate", "endDate"))
        is_beside = timedelta(hours=1) < end - start < timedelta(hours=5)
        if asked["search"] and is_beside and not self.has_failed:
            self.has_failed = True
            return httpx.Response(200, json={"count": 0, "rows": []})
        return answer


def test_one_empty_answer_does_not_make_whole_days_seconds() -> None:
    """A vendor that reads whole days would be asked too little of ever after; so an absence is asked for twice."""
    answers, _ = _probed(kind=OnceEmpty, dates_cut_to="day", end_is="inclusive")
    assert answers.get("grain") in {None, "day"}


def _alerted(play: Play) -> set[str]:
    with play.ledger() as ledger:
        return {alert.question for alert in Answers.load(ledger).alerts()}


@pytest.mark.parametrize(
    ("before", "after", "question", "answer"),
    [
        ({}, {"count": "missing"}, "count_is", None),
        ({"page_cap": 7}, {"page_cap": 15}, "page_cap", 15),
        ({}, {"sort_transaction_id": "ignored"}, "order", "ignored"),
        ({}, {"start_counts": "ignored"}, "start_unit", "ignored"),
    ],
    ids=["count", "page cap", "order", "start"],
)
def test_an_answer_that_is_contradicted_is_an_alert_and_probed_again(
    make_play: MakePlay, before: dict[str, Any], after: dict[str, Any], question: str, answer: Any
) -> None:
    """The vendor changes under our feet: the old answer is taken back, the new one found, and the tables stay true."""
    play = make_play(registrations=40, days=20, page_size=20, lookback_days=30, **before)
    play.sandbox.clock.move(timedelta(days=14))
    play.run()
    assert not _alerted(play)
    play.sandbox.change(**after)
    play.sandbox.clock.move(timedelta(hours=1))
    day = play.run()
    assert question in _alerted(play)
    assert any(call.purpose == "probe" for call in day.calls)
    play.sandbox.clock.move(timedelta(hours=1))
    play.run()
    with play.ledger() as ledger:
        assert Answers.load(ledger).get(question) == answer
    assert not play.differing()
    assert not play.wrong_claims


def test_rows_that_no_date_explains_make_the_filter_an_open_question_again(make_play: MakePlay) -> None:
    """A filter that moves from the start to the completion shows rows that were ruled out: an alert, and a probe."""
    play = make_play(registrations=80, days=60, page_size=50, filter_on="started")
    play.sandbox.clock.move(timedelta(days=40))
    play.play(6)
    with play.ledger() as ledger:
        assert Answers.load(ledger).filter_dates == {"started"}
    play.sandbox.change(filter_on="completed")
    play.play(3)
    assert {"not_completed", "not_changed"} <= _alerted(play)
    with play.ledger() as ledger:
        assert Answers.load(ledger).filter_dates == {"completed"}


def test_a_filter_that_a_probe_found_on_the_start_and_rows_contradict_may_be_on_any_other_date(
    make_play: MakePlay,
) -> None:
    """What the probe ruled out for the start's sake is open again: else "the last change" is left, which is wrong."""
    play = make_play(registrations=80, days=60, page_size=1000, filter_on="started", undated="out")
    play.sandbox.clock.move(timedelta(days=60))
    with (
        play.ledger() as ledger,
        VendorClient(
            "http://127.0.0.1/",
            play.sandbox.token,
            ledger,
            clock=play.sandbox.clock,
            transport=SandboxTransport(play.sandbox),
        ) as client,
    ):
        probe(client, Answers.load(ledger), now=play.now, page_size=1000)
    play.sandbox.clock.move(timedelta(hours=1))
    play.run()
    assert not _alerted(play)
    play.sandbox.change(filter_on="completed")
    play.sandbox.clock.move(timedelta(days=1))
    play.run()
    assert "not_completed" in _alerted(play)
    with play.ledger() as ledger:
        assert "completed" in Answers.load(ledger).filter_dates
        assert "started" not in Answers.load(ledger).filter_dates
