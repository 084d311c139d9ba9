"""The published file can be asked in SQL by whoever has only the command line."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.cli.conftest import Call


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small published file, and no shell of DuckDB's on the path."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    path = tmp_path / "data" / "published" / "progress.duckdb"
    path.parent.mkdir(parents=True)
    connection = duckdb.connect(str(path))
    connection.execute("create schema marts")
    connection.execute("create table marts.dim_activities as select 'a-' || n as activity_id from range(3) as r(n)")
    connection.close()
    return path


@pytest.mark.usefixtures("published")
def test_one_query_is_answered_as_a_table(call: Call) -> None:
    """With the column's name above."""
    done = call("sql", "-c", "select activity_id from marts.dim_activities order by 1")
    assert (done.exit_code, done.out.split()) == (0, ["activity_id", "a-0", "a-1", "a-2"])


@pytest.mark.usefixtures("published")
def test_no_name_steers_the_terminal(call: Call) -> None:
    """Escapes and turned writing are shown as such; other scripts and joiners stay as they are."""
    names = "Ada\x1b[2J", "\u202eadA\u202c", "a\rb\x9b", "می\u200cشود"
    listed = ", ".join(f"({place}, '{name}')" for place, name in enumerate(names))
    query = f"select name from (values {listed}) as t(place, name) order by place"  # noqa: S608 - our own names
    done = call("sql", "-c", query)
    shown = ["Ada\\x1b[2J", "\\u202eadA\\u202c", "a\\rb\\x9b", "می\u200cشود"]
    assert [line.rstrip() for line in done.out.split("\n")[1:5]] == shown


@pytest.mark.usefixtures("published")
def test_a_program_gets_json(call: Call) -> None:
    """Every row, by column name."""
    done = call("sql", "--json", "-c", "select count(*) as n from marts.dim_activities")
    assert json.loads(done.out) == [{"n": 3}]


@pytest.mark.usefixtures("published")
def test_nothing_can_be_changed(call: Call) -> None:
    """The file is what was published; DuckDB says why not, and the command was used wrongly."""
    done = call("sql", "-c", "delete from marts.dim_activities")
    assert done.exit_code == 2
    assert "read-only" in done.err


@pytest.mark.usefixtures("published")
def test_the_prompt_goes_on_after_a_mistake(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """A query may take several lines; a wrong one is told and the next is answered."""
    monkeypatch.setattr(
        "sys.stdin", io.StringIO("select nonsense;\nselect count(*) as n\nfrom marts.dim_activities;\n")
    )
    done = call("sql")
    assert done.exit_code == 0
    assert "nonsense" in done.err
    assert "3" in done.out.split()


def test_without_a_published_file_it_says_what_makes_one(call: Call) -> None:
    """And ends as wrong use does."""
    done = call("sql", "-c", "select 1")
    assert done.exit_code == 2
    assert "progress-pipeline run" in done.err


@pytest.mark.usefixtures("published")
def test_a_spreadsheet_gets_csv_in_which_no_text_is_a_formula(call: Call) -> None:
    """Signs that begin one are marked, behind blanks and in full width too; numbers and other texts stay."""
    texts = ["=1+1", "+1", "-1", "@sum(a1)", "\t=1", "  =1", "\uff1d1", "\u200b=1", "a=1", "'=1", "Ωmega", ""]
    values = ", ".join(f"($${text}$$, {number})" for number, text in enumerate(texts, start=-1))
    done = call("sql", "--csv", "-c", f"from (values {values}) as t(name, number)")
    assert done.out.startswith("\ufeffname,number\r\n")
    rows = list(csv.reader(io.StringIO(done.out, newline="")))[1:]
    marked = [f"'{text}" for text in texts[:8]]
    assert rows == [[text, str(number)] for number, text in enumerate(marked + texts[8:], start=-1)]


@pytest.mark.usefixtures("published")
def test_csv_tells_days_instants_and_truths_as_a_spreadsheet_reads_them(call: Call) -> None:
    """What is not there is an empty cell."""
    query = "select date '2026-01-02' d, timestamp '2026-01-02 03:04:05' t, true b, null n, -1.5 f, 'a,\"b\"' c"
    done = call("sql", "--csv", "-c", query)
    assert done.out == '\ufeffd,t,b,n,f,c\r\n2026-01-02,2026-01-02 03:04:05,true,,-1.5,"a,""b"""\r\n'


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("words", [("--csv",), ("--json",), ("--json", "--csv", "-c", "select 1")])
def test_a_form_without_a_query_or_two_forms_at_once_are_wrong_use(call: Call, words: tuple[str, ...]) -> None:
    """It says what to write instead."""
    done = call("sql", *words)
    assert done.exit_code == 2
    assert "--csv" in done.err


def test_duckdbs_own_shell_is_opened_where_there_is_one(published: Path) -> None:
    """For reading alone, on the published file, in place of the command."""
    shell = published.parents[2] / "bin" / "duckdb"
    shell.parent.mkdir()
    shell.write_text('#!/bin/sh\necho "$@"\n', encoding="utf-8")
    shell.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-m", "progress_pipeline", "sql"],
        env={"PATH": f"{shell.parent}:/bin:/usr/bin", "PROGRESS_PUBLISHED": str(published)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, f"-readonly {published}\n"), done.stderr


@pytest.mark.parametrize("form", ["--json", "--csv", ""])
def test_a_locale_without_utf_8_spoils_no_name_and_ends_no_command(published: Path, form: str) -> None:
    """What a program or a file is given is UTF-8."""
    question = ["-c", "select 'Zoë 王' as name"]
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-m", "progress_pipeline", "sql", *([form] if form else []), *question],
        env={"PROGRESS_PUBLISHED": str(published), "PYTHONIOENCODING": "latin-1"},
        capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, "Zoë 王" in done.stdout.decode()) == (0, True), done.stderr
