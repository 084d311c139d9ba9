"""What a run does when it must not, or cannot, go on: the exit code, the sentence, and what stands afterwards."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.e2e.conftest import Serve
from tests.e2e.forking import run, start
from tests.e2e.plain_vendor import TOKEN, Switches
from tests.e2e.playing import differences, environment, rows

NOBODY = "http://127.0.0.1:9/api/reports/progress"


def test_no_call_beyond_the_days_leaves_over_restarts_and_the_next_days_end_the_work(serve: Serve, data: Path) -> None:
    """A list of more pages than six calls bring: it stops with 4, stays stopped, and after some days all is there."""
    vendor = serve(Switches(registrations=24, days=2, page_cap=10, daily_calls=6))
    env = environment(data, vendor.url, api_daily_calls="6", api_page_size="10", start_date="2025-01-01")
    now = vendor.switches.start + timedelta(days=2)
    vendor.move_to(now)
    first, again = (run("run", "--as-of", now.isoformat(), env=env) for _ in range(2))
    assert (first.exit_code, again.exit_code) == (4, 4)
    assert "used up" in first.err
    codes = [4]
    while codes[-1] == 4 and len(codes) < 12:
        now += timedelta(days=1, minutes=1)
        vendor.move_to(now)
        codes.append(run("run", "--as-of", now.isoformat(), env=env).exit_code)
    assert codes[-1] == 0, codes
    assert differences(data / "published" / "progress.duckdb", vendor) == []
    assert max(vendor.calls.values()) <= 6
    assert vendor.refused == 0


def test_a_refused_token_ends_with_1_and_a_sentence_without_it(serve: Serve, data: Path) -> None:
    """The token is named as what is wrong, and shown nowhere."""
    vendor = serve(Switches(registrations=5, days=1))
    wrong = "00000000-dead-beef-0000-000000000000"
    spoken = run("run", env=environment(data, vendor.url, token=wrong))
    assert spoken.exit_code == 1
    assert "token" in spoken.err.lower()
    assert wrong not in spoken.out + spoken.err
    assert not any(wrong.encode() in file.read_bytes() for file in data.rglob("*") if file.is_file())


def test_without_a_network_what_landed_is_loaded_and_published(serve: Serve, data: Path) -> None:
    """Exit code 1, since nothing was asked; the published file tells what was pushed all the same."""
    vendor = serve(Switches(registrations=20, days=1, landing=data / "landing" / "webhook"))
    now = vendor.switches.start + timedelta(days=1)
    vendor.move_to(now)
    spoken = run("run", "--as-of", now.isoformat(), env=environment(data, NOBODY))
    assert spoken.exit_code == 1
    assert TOKEN not in spoken.out + spoken.err
    assert differences(data / "published" / "progress.duckdb", vendor) == []


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"api_url": ""}, "PROGRESS_API_URL"),
        ({"api_token": ""}, "PROGRESS_API_TOKEN"),
        ({"api_page_size": "many"}, "PROGRESS_API_PAGE_SIZE"),
        ({"start_date": "yesterday"}, "PROGRESS_START_DATE"),
        ({"api_url": "http://vendor.example.invalid/api/reports/progress"}, "PROGRESS_API_URL"),
    ],
)
def test_wrong_settings_end_with_2_and_name_the_variable(data: Path, settings: dict[str, str], named: str) -> None:
    """Nothing is asked, nothing is made, and the variable to correct is in the sentence."""
    env = environment(data, NOBODY, **settings)
    spoken = run("run", env=env)
    assert spoken.exit_code == 2, spoken
    assert named in spoken.err
    assert "Traceback" not in spoken.err
    assert TOKEN not in spoken.out + spoken.err


def test_a_malformed_instant_is_wrong_use(data: Path) -> None:
    """`--as-of soon` ends with 2."""
    spoken = run("run", "--as-of", "soon", env=environment(data, NOBODY))
    assert spoken.exit_code == 2
    assert "soon" in spoken.err


def test_two_runs_at_once_both_end_well_with_the_right_tables(serve: Serve, data: Path) -> None:
    """The second waits for the first, or says that it is held; what is published is right, and nothing is twice."""
    vendor = serve(Switches(registrations=40, days=1))
    now = vendor.switches.start + timedelta(days=1)
    vendor.move_to(now)
    env = environment(data, vendor.url)
    running = [start("run", "--as-of", now.isoformat(), env=env) for _ in range(2)]
    spoken = [each.wait() for each in running]
    assert [each.exit_code for each in spoken] == [0, 0], spoken
    assert differences(data / "published" / "progress.duckdb", vendor) == []
    told = rows(data / "warehouse" / "progress.duckdb", "from raw.api_progress")
    come = ("call_id", "position", "observed_at", "load_number")
    said = [tuple((name, value) for name, value in row.items() if name not in come) for row in told]
    assert said
    assert len(said) == len(set(said))
