"""What a vendor refuses is found out by a few calls, and asked around from then on."""

from typing import Any

import pytest

from progress_pipeline.clock import frozen_clock
from progress_pipeline.vendor.answers import Answers
from progress_pipeline.vendor.client import VendorClient
from progress_pipeline.vendor.probe import probe
from tests.vendor.conftest import MakePlay
from tests.vendor.playing import Play, SandboxTransport

REFUSING: dict[str, dict[str, Any]] = {
    "many records": {"most_records": 150},
    "many records, few of which it has": {"most_records": 100, "registrations": 5},
    "a range that ends after the present": {"takes_future": False},
    "a range that ends after the present, as it reads it": {"takes_future": False, "dates_read_in": "America/Denver"},
    "a long range": {"longest_range_days": 31},
    "all of it": {"most_records": 100, "takes_future": False, "longest_range_days": 10},
    "all of it, without a count or an order": {
        "most_records": 100,
        "takes_future": False,
        "longest_range_days": 31,
        "count": "missing",
        "sort_transaction_id": "error",
    },
}


@pytest.mark.parametrize("refused", REFUSING)
def test_what_is_not_refused_is_asked_and_all_comes(make_play: MakePlay, refused: str) -> None:
    """Within days nothing is missing, no claim is false, and few calls were refused."""
    play = make_play(**({"registrations": 80, "days": 60, "page_size": 1000} | REFUSING[refused]))
    play.sandbox.clock.move(play.sandbox.config.end_at - play.now)
    play.play(6)
    assert play.differing() == []
    assert play.wrong_claims == []
    refusals = [call for day in play.days for call in day.calls if call.outcome == "refused"]
    assert 0 < len(refusals) <= 12
    assert all(day.outcome is not None and day.outcome.how == "done" for day in play.days)
    _probe_without_a_refusal(play)


def _probe_without_a_refusal(play: Play) -> None:
    """A probe keeps to what is known to be refused."""
    clock = frozen_clock(play.now)
    with (
        play.ledger(clock) as ledger,
        VendorClient(
            "http://127.0.0.1/", play.sandbox.token, ledger, clock=clock, transport=SandboxTransport(play.sandbox)
        ) as client,
    ):
        before = ledger.last_call_id()
        probe(client, Answers.load(ledger), now=clock(), page_size=play.page_size)
        assert {call.outcome for call in ledger.calls_since(before)} == {"answered"}
