"""Calls a command as `python -m progress_pipeline` does, in this process, with settings and a folder of its own."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from progress_pipeline.cli.app import run_command

TOKEN = "t-o-k-e-n"
ENDPOINT = {"PROGRESS_API_URL": "http://127.0.0.1:9/api/reports/progress", "PROGRESS_API_TOKEN": TOKEN}


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    exit_code: int
    out: str
    err: str


Call = Callable[..., Done]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Call:
    """Give what calls a command with these settings alone, in the test's folder. No traceback and no token is shown."""
    for name in [name for name in os.environ if name.startswith(("PROGRESS_", "DAGSTER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DAGSTER_HOME", "")  # a run sets it; this puts it back afterwards
    monkeypatch.chdir(tmp_path)

    def calling(*arguments: str, **variables: str) -> Done:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["progress-pipeline", *arguments])
        with pytest.raises(SystemExit) as ended:
            run_command()
        for name in variables:
            monkeypatch.delenv(name)
        shown = capfd.readouterr()
        assert "Traceback" not in shown.err
        assert TOKEN not in shown.out + shown.err
        assert isinstance(ended.value.code, int)
        return Done(ended.value.code, shown.out, shown.err)

    return calling
