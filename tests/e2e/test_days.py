"""Day by day on a vendor that shares nothing with the sandbox: facts equal to its truth."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.e2e.conftest import Serve
from tests.e2e.forking import run
from tests.e2e.plain_speech import Speech
from tests.e2e.plain_vendor import Switches
from tests.e2e.playing import command, differences, environment, rows

WEBHOOK_ODD_IN_PLACE = {"transactions": "in_place", "odd": True, "lost_share": 0.2, "silence": (3.0, 4.0)}
ARRAY_PER_UPDATE_BY_START = {
    "transactions": "per_update",
    "speech": Speech(envelope="array"),
    "filter_on": "started",
    "page_cap": 7,
}


@pytest.mark.parametrize(
    ("switches", "is_pushed"),
    [(WEBHOOK_ODD_IN_PLACE, True), (ARRAY_PER_UPDATE_BY_START, False)],
    ids=["in place, odd values, lost pushes", "per update, bare array, by dateStarted, capped pages"],
)
def test_facts_equal_the_vendors_truth_after_days_of_runs(
    serve: Serve, data: Path, switches: dict[str, object], is_pushed: bool
) -> None:
    """With no settings but the endpoint, the token and a folder, every run is good and nothing differs."""
    landing = data / "landing" / "webhook" if is_pushed else None
    vendor = serve(Switches(registrations=60, days=10, landing=landing, **switches))  # type: ignore[arg-type]
    env = environment(data, vendor.url)
    codes = []
    for day in (2, 4, 5, 8, 12):
        now = vendor.switches.start + timedelta(days=day, hours=5)
        vendor.move_to(now)
        codes.append(run("run", "--as-of", now.isoformat(), env=env).exit_code)
    assert codes == [0] * 5
    assert differences(data / "published" / "progress.duckdb", vendor) == []
    assert vendor.refused == 0


def test_the_command_in_a_process_of_its_own_does_the_same(serve: Serve, data: Path) -> None:
    """Two days through the entry point that a scheduler starts; the second does not repeat the first."""
    vendor = serve(Switches(registrations=40, days=2))
    for day in (1, 2):
        now = vendor.switches.start + timedelta(days=day)
        vendor.move_to(now)
        spoken = command("run", "--as-of", f"{now:%Y-%m-%dT%H:%M:%SZ}", env=environment(data, vendor.url))
        assert spoken.exit_code == 0, spoken
    assert differences(data / "published" / "progress.duckdb", vendor) == []
    told = rows(data / "warehouse" / "progress.duckdb", "select transaction_id, record_hash from raw.api_progress")
    assert len(told) == len({(row["transaction_id"], row["record_hash"]) for row in told})
