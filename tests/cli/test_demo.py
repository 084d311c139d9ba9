"""The demo plays on real parts and tells the truth."""

import re
import shutil
from pathlib import Path

import pytest

from progress_pipeline.cli.demo import play
from progress_pipeline.errors import UsageError


def test_the_demo_ends_whole_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A few days of it: what is held is what happened, and the queries have answers."""
    assert play(tmp_path / "demo", 3) == 0
    shown = capsys.readouterr().out
    held = re.search(r"^held +(\d+) of (\d+) registrations, (\d+) of (\d+) completions$", shown, re.MULTILINE)
    assert held is not None, shown
    assert held[1] == held[2]
    assert held[3] == held[4]
    assert (tmp_path / "demo" / "published" / "progress.duckdb").exists()
    assert "Who finished what" in shown
    shell = re.search(r"^Try more: +(\S+) -readonly \S+$", shown, re.MULTILINE)
    assert shell is not None
    assert shutil.which(shell[1])


def test_the_demo_empties_only_its_own_folder(tmp_path: Path) -> None:
    """Whatever else stands there is left alone."""
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(UsageError, match="something else"):
        play(tmp_path, 3)
    assert (tmp_path / "thesis.txt").exists()
