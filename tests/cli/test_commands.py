"""Each command ends with a fitting exit code and a sentence that says what to do."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ENDPOINT = {"PROGRESS_API_URL": "http://127.0.0.1:9/api/reports/progress", "PROGRESS_API_TOKEN": "t-o-k-e-n"}


def call(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process and a folder of its own, with these settings alone."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PROGRESS_")}
    return subprocess.run(  # noqa: S603 - this Python, with arguments of our own
        [sys.executable, "-m", "progress_pipeline", *arguments],
        cwd=folder,
        env=kept | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        (("run",), {}, "PROGRESS_API_URL and PROGRESS_API_TOKEN"),
        (("run",), {"PROGRESS_API_URL": ENDPOINT["PROGRESS_API_URL"]}, "PROGRESS_API_TOKEN"),
        (("run",), ENDPOINT | {"PROGRESS_API_PAGE_SIZE": "many"}, "PROGRESS_API_PAGE_SIZE"),
        (("run",), ENDPOINT | {"PROGRESS_API_COUNT_DAY": "Mars/Olympus"}, "time zone"),
        (("run", "--as-of", "yesterday"), ENDPOINT, "yesterday"),
        (("backfill", "--from", "2026-02-01", "--to", "2026-01-01"), ENDPOINT, "--from"),
        (("backfill", "--from", "2026-02-31", "--to", "2026-03-01"), ENDPOINT, "--from"),
        (("receive",), {}, "PROGRESS_WEBHOOK_TOKEN"),
        (("sandbox", "--set", "shoe_size=41"), {}, "shoe_size"),
        (("gaps", "accept", "some-gap"), {}, "--why"),
        (("frobnicate",), {}, "frobnicate"),
    ],
)
def test_wrong_use_and_wrong_settings_end_with_2(
    tmp_path: Path, arguments: tuple[str, ...], variables: dict[str, str], said: str
) -> None:
    """The message names what is wrong, no traceback is shown, and nothing is written."""
    done = call(tmp_path, *arguments, **variables)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert "Traceback" not in done.stderr
    assert "t-o-k-e-n" not in done.stderr + done.stdout
    assert list(tmp_path.iterdir()) == []


def test_settings_are_read_from_a_file_too(tmp_path: Path) -> None:
    """`.env` in the folder that the command is called in."""
    (tmp_path / ".env").write_text("PROGRESS_API_PAGE_SIZE=0\n", encoding="utf-8")
    done = call(tmp_path, "status")
    assert done.returncode == 2
    assert "PROGRESS_API_PAGE_SIZE" in done.stderr


def test_a_stranger_learns_from_status_what_to_do_first(tmp_path: Path) -> None:
    """Nothing is published yet, and that is no failure."""
    done = call(tmp_path, "status")
    assert (done.returncode, "demo" in done.stdout) == (0, True)
    assert json.loads(call(tmp_path, "status", "--json").stdout)["published"] is None


def test_help_lists_every_command_with_a_sentence(tmp_path: Path) -> None:
    """And the exit codes."""
    shown = call(tmp_path, "--help").stdout
    for command in ("demo", "run", "backfill", "receive", "probe", "status", "gaps", "sandbox", "dev"):
        assert f"  {command} " in shown
    assert "Exit codes" in shown
