"""Each command ends with a fitting exit code and a sentence that says what to do."""

import json
import socket
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from progress_pipeline.settings import load_settings
from tests.cli.conftest import ENDPOINT, Call

URL = "PROGRESS_API_URL"
FAR_ENDPOINT = ENDPOINT | {URL: "https://vendor.example.invalid/api/reports/progress"}


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        (("run",), {}, "PROGRESS_API_URL and PROGRESS_API_TOKEN"),
        (("probe",), {}, "PROGRESS_API_URL and PROGRESS_API_TOKEN"),
        (("backfill", "--from", "2026-01-01", "--to", "2026-01-02"), {}, "PROGRESS_API_URL and PROGRESS_API_TOKEN"),
        (("run",), {URL: ENDPOINT[URL]}, "PROGRESS_API_TOKEN"),
        (("run",), ENDPOINT | {"PROGRESS_API_TOKEN": " "}, "for want of PROGRESS_API_TOKEN"),
        (("run",), ENDPOINT | {URL: "http://vendor.example.invalid/api/reports/progress"}, "https://"),
        (("run",), ENDPOINT | {URL: "vendor.example.invalid/api/reports/progress"}, "full endpoint"),
        (("run",), ENDPOINT | {URL: "https://vendor.example.invalid:port/api"}, "full endpoint"),
        (("run",), ENDPOINT | {URL: "https://[vendor.example.invalid/api"}, "full endpoint"),
        (("run",), ENDPOINT | {URL: "https://ven dor.example.invalid/api"}, "full endpoint"),
        (("run",), ENDPOINT | {"PROGRESS_API_COUNT_DAY": "Europe"}, "PROGRESS_API_COUNT_DAY: 'Europe' is no time zone"),
        (("run",), ENDPOINT | {"PROGRESS_SCHEDULE_TIMEZONE": "rolling"}, "PROGRESS_SCHEDULE_TIMEZONE: 'rolling' is no"),
        (("run",), {"PROGRESS_ALERT_WEBHOOK_URL": "https://[x"}, "used: PROGRESS_ALERT_WEBHOOK_URL must be"),
        (("run", "--as-of", "2190-01-01"), FAR_ENDPOINT, "still to come"),
        (("probe", "--as-of", "2190-01-01"), FAR_ENDPOINT, "still to come"),
        (("run",), ENDPOINT | {"PROGRESS_API_PAGE_SIZE": "many"}, "PROGRESS_API_PAGE_SIZE"),
        (("run",), ENDPOINT | {"PROGRESS_API_COUNT_DAY": "Mars/Olympus"}, "time zone"),
        (("run",), ENDPOINT | {"PROGRESS_START_DATE": "yesterday"}, "PROGRESS_START_DATE"),
        (("run",), ENDPOINT | {"PROGRESS_START_DATE": "0001-01-01"}, "PROGRESS_START_DATE"),
        (("run",), ENDPOINT | {"PROGRESS_LOOKBACK_DAYS": "99999999999"}, "PROGRESS_LOOKBACK_DAYS"),
        (("run",), ENDPOINT | {"PROGRESS_SETTLE_MINUTES": "99999999999999"}, "PROGRESS_SETTLE_MINUTES"),
        (("run",), ENDPOINT | {"PROGRESS_API_DAILY_CALLS": "9" * 23}, "PROGRESS_API_DAILY_CALLS"),
        (("run", "--as-of", "2026-01-01"), ENDPOINT | {"PROGRESS_START_DATE": "2026-01-02"}, "PROGRESS_START_DATE"),
        (("run", "--as-of", "yesterday"), ENDPOINT, "yesterday"),
        (("run", "--as-of", "9999-12-31"), ENDPOINT, "2199"),
        (("backfill", "--from", "2026-02-01", "--to", "2026-01-01"), ENDPOINT, "--from"),
        (("backfill", "--from", "2026-02-31", "--to", "2026-03-01"), ENDPOINT, "--from"),
        (("backfill", "--from", "2026-01-01", "--to", "9999-12-31"), ENDPOINT, "2199"),
        (("backfill", "--from", "0001-01-01", "--to", "2026-01-01"), ENDPOINT, "1970"),
        (("gaps", "--limit", "-1"), {}, "--limit"),
        (("gaps", "--limit", "99999999999999999999"), {}, "--limit"),
        (("receive",), {}, "PROGRESS_WEBHOOK_TOKEN"),
        (("sandbox", "--set", "shoe_size=41"), {}, "shoe_size"),
        (("sandbox", "--set", "count_day=Europe"), {}, "time zone 'Europe'"),
        (("sandbox", "--port", "65536"), {}, "--port"),
        (("gaps", "accept", "some-gap"), {}, "--why"),
        (("gaps", "accept", "some-gap", "--why", "known"), {}, "no warehouse"),
        (("frobnicate",), {}, "frobnicate"),
    ],
)
def test_wrong_use_and_wrong_settings_end_with_2(
    call: Call, tmp_path: Path, arguments: tuple[str, ...], variables: dict[str, str], said: str
) -> None:
    """The message names what is wrong, no traceback is shown, and nothing is written."""
    done = call(*arguments, **variables)
    assert (done.exit_code, said in done.err) == (2, True), done.err
    assert list(tmp_path.iterdir()) == []


def test_the_version_is_told_without_a_command(call: Call) -> None:
    """And is that of the package."""
    done = call("--version")
    assert (done.exit_code, done.out.strip()) == (0, version("progress-pipeline"))


def test_a_port_that_is_taken_is_named(call: Call) -> None:
    """The sandbox's own."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = call("sandbox", "--port", port, "--set", "registrations=10")
    assert (done.exit_code, f"cannot listen on port {port}" in done.err) == (2, True), done.err


def test_settings_are_read_from_a_file_too(call: Call, tmp_path: Path) -> None:
    """`.env` in the folder that the command is called in."""
    (tmp_path / ".env").write_text("PROGRESS_API_PAGE_SIZE=0\n", encoding="utf-8")
    done = call("status")
    assert done.exit_code == 2
    assert "PROGRESS_API_PAGE_SIZE" in done.err


@pytest.mark.parametrize(
    ("encoding", "said"),
    [("utf-8-sig", "PROGRESS_API_PAGE_SIZE"), ("utf-16", "is not UTF-8"), ("latin-1", "is not UTF-8")],
)
def test_a_file_of_settings_that_is_not_utf_8_is_named(call: Call, tmp_path: Path, encoding: str, said: str) -> None:
    """As an editor on Windows may save it; nothing of its text is told, since it holds the token."""
    text = "PROGRESS_API_PAGE_SIZE=0\r\nPROGRESS_API_TOKEN=Zoë-secret\r\n"
    (tmp_path / ".env").write_bytes(text.encode(encoding))
    done = call("status")
    assert (done.exit_code, said in done.err) == (2, True), done.err
    assert "secret" not in done.err


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    """Also where a path would then mean the current folder; without a port there are no metrics."""
    empty = load_settings(data_dir="", start_date="", landing_dir="", webhook_metrics_port="")
    unset = load_settings()
    assert (empty.data_dir, empty.start_date, empty.landing_path) == (
        unset.data_dir,
        unset.start_date,
        unset.landing_path,
    )
    assert empty.webhook_metrics_port is None


def test_a_stranger_learns_what_to_do_first(call: Call) -> None:
    """Nothing is published yet: for `status` that is no failure, and `gaps` says how it comes to be."""
    done = call("status")
    assert (done.exit_code, "demo" in done.out) == (0, True)
    assert json.loads(call("status", "--json").out)["published"] is None
    listed = call("gaps")
    assert (listed.exit_code, "The first run makes it" in listed.err) == (1, True)


def test_help_lists_every_command_with_a_sentence(tmp_path: Path) -> None:
    """And the exit codes; asked in a process of its own, as a person does."""
    asked = [sys.executable, "-m", "progress_pipeline", "--help"]
    shown = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60).stdout  # noqa: S603 - our own command
    for command in ("demo", "run", "backfill", "receive", "probe", "status", "gaps", "evidence", "sandbox", "dev"):
        assert f"  {command} " in shown
    assert "Exit codes" in shown


@pytest.mark.parametrize(
    ("words", "code"),
    [("--version >&-", 0), ("--version 2>&-", 0), ("--version >/dev/full", 1), ("frobnicate 2>&-", 2)],
)
def test_the_exit_code_is_the_commands_wherever_its_words_go(tmp_path: Path, words: str, code: int) -> None:
    """A scheduler may start it with a stream closed; what could not be said where it belongs is a failure."""
    shell = ["/bin/sh", "-c", f"{sys.executable} -m progress_pipeline {words}"]
    assert subprocess.run(shell, cwd=tmp_path, check=False, timeout=60).returncode == code  # noqa: S603 - our own command
