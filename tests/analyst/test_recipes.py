"""`docs/recipes.md`: what stands there in shell and Python works as it stands, on a published file."""

import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.analyst.month import Month

PAGE = Path(__file__).parents[2] / "docs" / "recipes.md"
_BLOCK = re.compile(r"^```(sh|python)\n(.+?)^```$", re.MULTILINE | re.DOTALL)
RECIPES = [(kind, text) for kind, text in _BLOCK.findall(PAGE.read_text(encoding="utf-8"))]


def follow(month: Month, folder: Path, kind: str, text: str) -> str:
    """Follow a recipe in a folder that `data` is in, as an analyst would; gives what it prints."""
    (folder / "data").symlink_to(month.published.parents[1])
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PROGRESS_")}
    commands = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    done = subprocess.run(  # noqa: S603 - what our own page says
        [sys.executable, "-c", text] if kind == "python" else ["/bin/sh", "-euc", text],
        cwd=folder, env={**kept, "PATH": commands}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


@pytest.mark.parametrize(("kind", "text"), RECIPES, ids=[text.split("\n")[0][:40] for _, text in RECIPES])
def test_a_recipe_works_as_it_stands(month: Month, tmp_path: Path, kind: str, text: str) -> None:
    """It ends well, complains of nothing, and gives something: a print, or CSV with every row of the table."""
    printed = follow(month, tmp_path, kind, text)
    if "progress.csv" not in text:
        assert printed
    else:
        counts = "select count(*), count(first_name) from read_csv($1)"
        assert duckdb.execute(counts, [str(tmp_path / "progress.csv")]).fetchall() == [(400, 400)]


def test_the_oldest_duckdb_that_is_promised_reads_every_table(month: Month, tmp_path: Path) -> None:
    """DuckDB 1.5, each table and view to its last row; and it sees a comment on every column."""
    listed = "select distinct schema_name || '.' || table_name from duckdb_columns() where not internal order by 1"
    with duckdb.connect(str(month.published), read_only=True) as connection:
        names = [name for (name,) in connection.execute(listed).fetchall()]
        counts = [connection.table(name).count("*").fetchall()[0][0] for name in names]
    queries = [
        "select version()",
        "select count(*) from duckdb_columns() where not internal and comment is null",
        *(f"select count(*) from (select distinct * from {name})" for name in names),  # noqa: S608 - its own names
    ]
    shell = 'duckdb -readonly -noheader -list data/published/progress.duckdb -c "'
    version, *found = follow(month, tmp_path, "sh", f'{shell}{"; ".join(queries)}"').split()
    assert version.startswith("v1.5.")
    assert [int(count) for count in found] == [0, *counts]
