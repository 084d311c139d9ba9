"""Day by day on a vendor that shares nothing with the sandbox: facts equal to its truth."""

from datetime import timedelta
from pathlib import Path

import pytest

from progress_pipeline.settings import load_settings
from tests.e2e.conftest import Serve
from tests.e2e.plain_speech import Speech
from tests.e2e.plain_vendor import TOKEN, Switches
from tests.e2e.playing import command, differences, environment
from tests.models.plain_loading import PlainLoader
from tests.stepping import Stepper

VENDORS: dict[str, dict[str, object]] = {
    "in place, odd values, lost pushes": {"odd": True, "lost_share": 0.2, "silence": (3.0, 4.0)},
    "per update, by dateStarted, bare arrays of seven, names alone sorted": {
        "transactions": "per_update",
        "filter_on": "started",
        "page_cap": 7,
        "sort": "names",
        "speech": Speech(envelope="array", http="1.0", absent="null", dates="utc_offset"),
    },
    "by dateCompleted in a zone east, end inclusive, no count, in chunks": {
        "filter_on": "completed",
        "hours_ahead": 2,
        "end_inclusive": True,
        "speech": Speech(count="missing", http="chunked", gzipped=True, headers="lower", keys="shuffled"),
    },
    "strict, the newest alone, one record bare, texts and offsets": {
        "transactions": "per_update",
        "listed": "newest",
        "is_strict": True,
        "sort": "refused",
        "start_inclusive": False,
        "speech": Speech(envelope="object", empty="204", numbers="text", absent="missing", dates="offset", mark=True),
    },
}


@pytest.mark.parametrize("switches", VENDORS.values(), ids=VENDORS)
def test_facts_equal_the_vendors_truth_after_each_of_some_days(
    serve: Serve, data: Path, switches: dict[str, object]
) -> None:
    """With no settings but the endpoint, the token and a folder, every day is covered and nothing differs."""
    landing = data / "landing" / "webhook" if "lost_share" in switches else None
    vendor = serve(Switches(registrations=60, days=10, landing=landing, **switches))  # type: ignore[arg-type]
    stepper = Stepper(load_settings(api_url=vendor.url, api_token=TOKEN, data_dir=data), PlainLoader)
    for day in (2, 5, 12):
        now = vendor.switches.start + timedelta(days=day, hours=5)
        vendor.move_to(now)
        assert stepper.run(now) == "done"
        assert differences(stepper.settings.warehouse_path, vendor) == []
    assert vendor.refused == 0


def test_the_command_in_a_process_of_its_own_does_the_same(serve: Serve, data: Path) -> None:
    """A day through the entry point that a scheduler starts; its log ends with the run's own last line."""
    vendor = serve(Switches(registrations=40, days=1))
    now = vendor.switches.start + timedelta(days=1)
    vendor.move_to(now)
    spoken = command("run", "--as-of", f"{now:%Y-%m-%dT%H:%M:%SZ}", env=environment(data, vendor.url))
    assert spoken.exit_code == 0, spoken
    assert "leaked" not in spoken.err
    assert differences(data / "published" / "progress.duckdb", vendor) == []
