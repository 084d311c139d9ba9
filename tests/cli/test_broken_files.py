"""Files that are broken, or stand where none can be: a sentence that names the file and says what to do."""

from pathlib import Path

import duckdb
import pytest

from tests.cli.conftest import ENDPOINT, Call

BROKEN = b"this was a database once, until somebody opened it in an editor " * 100


@pytest.mark.parametrize(
    ("arguments", "file", "said"),
    [
        (("run",), "warehouse/progress.duckdb", "move it away"),
        (("run",), "ledger/calls.sqlite", "No call leaves uncounted"),
        (("run",), "dagster/history/runs.db", "the next run begins a new one"),
        (("status",), "published/progress.duckdb", "the next run publishes anew"),
        (("gaps",), "published/progress.duckdb", "the next run publishes anew"),
        (("status",), "ledger/calls.sqlite", "No call leaves uncounted"),
        (("status",), "dagster/history/runs.db", "the next run begins a new one"),
    ],
)
def test_a_broken_file_is_named_with_what_to_do(
    call: Call, tmp_path: Path, arguments: tuple[str, ...], file: str, said: str
) -> None:
    """It ends with 1, and the file is left as it was, for somebody to look at."""
    path = tmp_path / "data" / file
    path.parent.mkdir(parents=True)
    path.write_bytes(BROKEN)
    done = call(*arguments, **ENDPOINT)
    assert done.exit_code == 1
    assert said in done.err, done.err
    assert path.name in done.err or path.parent.name in done.err
    assert path.read_bytes() == BROKEN


def test_a_data_folder_that_cannot_be_is_named(call: Call, tmp_path: Path) -> None:
    """A file stands in the way."""
    (tmp_path / "data").write_text("not a folder", encoding="utf-8")
    done = call("run", **ENDPOINT)
    assert done.exit_code == 1
    assert "data/dagster" in done.err
    assert "PROGRESS_DATA_DIR" in done.err


def test_a_warehouse_of_a_newer_duckdb_is_left_alone(call: Call, tmp_path: Path) -> None:
    """Its header says a version that this DuckDB does not know."""
    path = tmp_path / "data" / "warehouse" / "progress.duckdb"
    path.parent.mkdir(parents=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table kept as select 1 as one")
    newer = bytearray(path.read_bytes())
    newer[12] = 250  # the version's number, after a checksum of eight bytes and the letters DUCK
    path.write_bytes(newer)
    done = call("run", **ENDPOINT)
    assert done.exit_code == 1
    assert "progress.duckdb cannot be opened" in done.err
    assert path.read_bytes() == newer
