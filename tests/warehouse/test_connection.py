"""Opening the warehouse: who may, how long one waits, and what is said when it cannot be done."""

import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from progress_pipeline.errors import WarehouseBusyError, WarehouseError
from progress_pipeline.warehouse.connection import connect

HOLD = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.readline()
connection.close()
"""


@contextmanager
def held(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Let another process hold a file until it is told to let go."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with subprocess.Popen(  # noqa: S603 - the program is this test's own
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_held_file_is_named_with_its_holder_and_what_to_do(warehouse: Path) -> None:
    """The message gives the process that holds it, so that an operator can look."""
    with (
        held(warehouse) as holder,
        pytest.raises(WarehouseBusyError, match=rf"process {holder.pid} .*still was after 0\.2 seconds\. Wait"),
        connect(warehouse, wait_seconds=0.2),
    ):
        pass


def test_a_file_that_is_let_go_in_time_is_opened(warehouse: Path) -> None:
    """A short wait is no failure."""
    with held(warehouse) as holder:
        assert holder.stdin is not None
        holder.stdin.write("let go\n")
        holder.stdin.flush()
        started = time.monotonic()
        with connect(warehouse, wait_seconds=20) as connection:
            assert connection.execute("select 1").fetchall() == [(1,)]
        assert time.monotonic() - started < 20


def test_an_error_inside_closes_the_file(warehouse: Path) -> None:
    """Whoever comes next can open it."""
    with pytest.raises(duckdb.CatalogException), connect(warehouse) as connection:
        connection.execute("from a_table_that_is_not_there")
    with held(warehouse):
        pass


def test_a_missing_warehouse_is_no_error_for_a_writer_and_a_plain_one_for_a_reader(warehouse: Path) -> None:
    """Reading before the first run says that the first run makes it."""
    with (
        pytest.raises(WarehouseError, match=r"There is no DuckDB file at .* yet"),
        connect(warehouse, read_only=True),
    ):
        pass
    with connect(warehouse):
        assert warehouse.exists()


def test_a_file_that_is_no_database_is_not_waited_for(tmp_path: Path) -> None:
    """Waiting heals no broken file."""
    path = tmp_path / "notes.duckdb"
    path.write_text("these are notes" * 1000, encoding="utf-8")
    started = time.monotonic()
    with pytest.raises(WarehouseError, match=r"notes\.duckdb cannot be opened: .*not a valid DuckDB"), connect(path):
        pass
    assert time.monotonic() - started < 5


def test_two_ways_of_opening_in_one_process_are_told_apart(warehouse: Path) -> None:
    """DuckDB lets one process open a file in one way only; the message says so without its jargon."""
    with (
        connect(warehouse),
        pytest.raises(WarehouseBusyError, match="already open in this process in another way"),
        connect(warehouse, read_only=True),
    ):
        pass


def test_the_session_is_in_utc_and_knows_the_prelude(warehouse: Path) -> None:
    """Also when the machine is elsewhere; and a reader has the same session as a writer."""
    with connect(warehouse, threads=1, memory_limit="512MiB") as connection:
        connection.execute("create table t as select '2026-01-31T10:20:30+02:00' as text")
        assert connection.execute("select current_setting('threads'), current_setting('memory_limit')").fetchall() == [
            (1, "512.0 MiB")
        ]
    with connect(warehouse, read_only=True) as connection:
        asked = "select cast(instant_of(text) as varchar), current_setting('TimeZone') from t"
        assert connection.execute(asked).fetchall() == [("2026-01-31 08:20:30", "UTC")]


@pytest.mark.parametrize("name", ["raw", "Marts"])
def test_a_file_that_bears_a_schemas_name_is_refused(tmp_path: Path, name: str) -> None:
    """DuckDB could not tell the schema from the file, and would say so at every table."""
    with pytest.raises(WarehouseError, match="bears the name of a schema"), connect(tmp_path / f"{name}.duckdb"):
        pass


@pytest.mark.parametrize("name", ["main", "temp", "select", "with space", 'qu"ote', "a.b-c"])
def test_any_other_file_name_will_do(tmp_path: Path, name: str) -> None:
    """What the file is called changes nothing inside it."""
    with connect(tmp_path / f"{name}.duckdb") as connection:
        connection.execute("create schema if not exists raw")
        connection.execute("create table raw.said as select 1 as k")
        assert connection.execute("from raw.said").fetchall() == [(1,)]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("json_text('{\"a b\": 1.50, \"n\": null}', 'a b')", "1.5"),
        ("json_text('{\"a b\": 1.50, \"n\": null}', 'n')", None),
        ("json_text('{broken', 'n')", None),
        ("cast(instant_of('2026-01-31T10:20:30.125Z') as varchar)", "2026-01-31 10:20:30.125"),
        ("cast(instant_of(' 2026-01-31 10:20:30 ') as varchar)", "2026-01-31 10:20:30"),
        ("instant_of('infinity')", None),
        ("instant_of('2026-02-30')", None),
        ("seconds_between(timestamp '2026-01-01 00:00:01.5', timestamp '2026-01-01')", -1.5),
        ("days_between(date '2026-01-31', date '2026-03-01')", 29),
        (
            "cast(seconds_after(timestamp '2026-01-01', 3153600000) as varchar)",
            "2125-12-08 00:00:00",
        ),
        ("text_number('r-1')", int(hashlib.md5(b"r-1", usedforsecurity=False).hexdigest()[:15], 16)),
        ("text_number(null)", None),
        ("joined_texts(['b', null, 'a'], ', ')", "a, b"),
    ],
)
def test_the_prelude_says_what_its_comments_say(warehouse: Path, call: str, expected: object) -> None:
    """Each function once with what it is for, and once with what it must bear."""
    with connect(warehouse) as connection:
        assert connection.execute(f"select {call}").fetchall() == [(expected,)]


def test_a_connection_from_elsewhere_can_be_given_the_prelude(warehouse: Path) -> None:
    """The prelude runs twice on one connection without harm, as when it is pasted into a shell again."""
    with connect(warehouse) as connection:
        again = duckdb.connect(str(warehouse))
        try:
            again.execute("select 1").fetchall()
        finally:
            again.close()
        assert connection.execute("select days_between(date '2026-01-01', date '2026-01-02')").fetchall() == [(1,)]
