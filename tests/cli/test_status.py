"""`status` says why no call is left, where it is the vendor who says so."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from progress_pipeline.vendor.ledger import CallLedger
from tests.cli.conftest import ENDPOINT, Call


def test_a_limit_that_the_vendor_says_is_reached_is_told_with_its_end(call: Call, tmp_path: Path) -> None:
    """A client of somebody else's with the same token uses calls that no ledger of ours knows."""
    path = tmp_path / "data" / "ledger" / "calls.sqlite"
    shown = json.loads(call("status", "--json", **ENDPOINT).out)
    assert shown["calls"] is None
    path.parent.mkdir(parents=True, exist_ok=True)
    with CallLedger(path, daily_calls=500) as ledger:
        until = ledger.refuse("limit reached", timedelta(hours=2))

    told = call("status", **ENDPOINT).out
    as_json = json.loads(call("status", "--json", **ENDPOINT).out)["calls"]

    assert (
        f"0 of 500 used, 0 left: the vendor refused one more, so none leaves before {until:%Y-%m-%d %H:%M} UTC" in told
    )
    assert datetime.fromisoformat(as_json["refused_until"]) == until
    assert until > datetime.now(UTC)


def test_nothing_is_said_of_a_refusal_where_there_was_none(call: Call, tmp_path: Path) -> None:
    """Calls that were used up by ourselves are no refusal."""
    path = tmp_path / "data" / "ledger" / "calls.sqlite"
    path.parent.mkdir(parents=True, exist_ok=True)
    with CallLedger(path, daily_calls=500):
        pass

    assert "refused" not in call("status", **ENDPOINT).out
