"""How a published file takes the old one's place, whoever reads meanwhile, and when it does not."""

import subprocess
import sys
from pathlib import Path

import pytest

from progress_pipeline.errors import PublishError, WarehouseBusyError
from progress_pipeline.warehouse.building import build
from progress_pipeline.warehouse.connection import connect
from progress_pipeline.warehouse.publishing import Form, publish
from tests.warehouse.projects import Project
from tests.warehouse.published import AS_OF, ask, say_more


def test_a_file_that_fails_its_verification_never_takes_the_old_ones_place(
    built: Project, warehouse: Path, published: Path
) -> None:
    """A key that is not unique, or null, is named; the old file stands, and nothing lies beside it."""
    publish(warehouse, published, built.models(), as_of=AS_OF)
    before = published.read_bytes()
    for fault, message in (
        ("(5, 1, 2)", "the key k is not unique, for instance 5"),
        ("(null, 1, 3)", "1 rows have no k"),
    ):
        with connect(warehouse) as connection:
            connection.execute("delete from raw.said where load_number > 1")
            connection.execute(f"insert into raw.said values {fault}")
            build(connection, built.models())
        with pytest.raises(PublishError, match=message):
            publish(warehouse, published, built.models(), as_of=AS_OF)
        assert published.read_bytes() == before
        assert sorted(path.name for path in published.parent.iterdir()) == [
            "progress.duckdb", "progress.duckdb.manifest.json", "versions",
        ]  # fmt: skip


def test_a_key_that_another_hand_doubled_in_old_rows_is_never_published(
    built: Project, warehouse: Path, published: Path
) -> None:
    """Whatever a run's checks looked at, all rows are looked at here; the message says what to do."""
    publish(warehouse, published, built.models(), as_of=AS_OF)
    before = published.read_bytes()
    with connect(warehouse) as connection:
        connection.execute("insert into marts.fct_v from marts.fct_v order by k limit 1")
    with pytest.raises(PublishError, match=r"fct_v is not fit .* not unique, for instance 0\. Drop it .* run again"):
        publish(warehouse, published, built.models(), as_of=AS_OF)
    assert published.read_bytes() == before


def test_the_last_few_versions_are_kept(built: Project, warehouse: Path, published: Path) -> None:
    """Each by its instant, with its manifest; the oldest goes when there are too many; none is changed by the next."""
    for day in (1, 2, 3, 4):
        if day == 2:
            say_more(warehouse, built, 1)
        publish(warehouse, published, built.models(), as_of=AS_OF.replace(day=day), form=Form(keep=2))
    assert sorted(path.name for path in (published.parent / "versions").iterdir()) == [
        f"progress-2026020{day}T050000Z.duckdb{ending}" for day in (3, 4) for ending in ("", ".manifest.json")
    ]
    say_more(warehouse, built, 5)
    publish(warehouse, published, built.models(), as_of=AS_OF.replace(day=5), form=Form(keep=2))
    assert ask(published, "select count(*) from marts.fct_v") == [(16,)]
    assert ask(
        published.parent / "versions" / "progress-20260204T050000Z.duckdb", "select count(*) from marts.fct_v"
    ) == [(11,)]


def test_leftovers_of_a_killed_run_are_removed(built: Project, warehouse: Path, published: Path) -> None:
    """Half-made files of earlier runs do not pile up; files of others are left alone."""
    published.parent.mkdir()
    for name in (".progress.duckdb.4711.building", ".progress.duckdb.4711.building.wal", ".other.duckdb.1.building"):
        (published.parent / name).write_text("half made", encoding="utf-8")
    publish(warehouse, published, built.models(), as_of=AS_OF)
    assert [path.name for path in published.parent.glob(".*")] == [".other.duckdb.1.building"]


def test_a_warehouse_held_elsewhere_is_said_to_be_busy(built: Project, warehouse: Path, published: Path) -> None:
    """In this very process too: publishing opens the warehouse for writing."""
    with (
        connect(warehouse, read_only=True),
        pytest.raises(WarehouseBusyError),
    ):
        publish(warehouse, published, built.models(), as_of=AS_OF, wait_seconds=0)


READ = """
import sys, time, duckdb
path, answers = sys.argv[1], set()
print("reading", flush=True)
end = time.monotonic() + 20
while "stop" not in answers and time.monotonic() < end:
    connection = duckdb.connect(path, read_only=True)
    first = connection.execute("select count(*), sum(v) from marts.fct_v").fetchall()
    again = connection.execute("select count(*), sum(v) from marts.of_marts").fetchall()
    connection.close()
    assert first[0][0] == again[0][0] and first[0][1] * 2 == again[0][1], (first, again)
    answers.add(first[0][0])
    if first[0][0] >= 14:
        answers.add("stop")
print(sorted(str(answer) for answer in answers))
"""


def test_readers_are_never_disturbed_and_never_block(built: Project, warehouse: Path, published: Path) -> None:
    """Another process reads in a loop while files are swapped: each answer is of one version, and all come."""
    publish(warehouse, published, built.models(), as_of=AS_OF)
    with subprocess.Popen(  # noqa: S603 - the program is this test's own
        [sys.executable, "-c", READ, str(published)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "reading\n"
        for _ in range(4):
            say_more(warehouse, built, 1)
            publish(warehouse, published, built.models(), as_of=AS_OF)
        output, errors = reader.communicate(timeout=30)
    assert (reader.returncode, errors) == (0, "")
    assert "'14'" in output


KEEP_OPEN = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
print("open", flush=True)
sys.stdin.readline()
print(connection.execute("select count(*) from marts.fct_v").fetchall())
connection.close()
"""


def test_a_reader_with_the_old_file_open_keeps_it(built: Project, warehouse: Path, published: Path) -> None:
    """What was opened stays as it was until it is closed; who opens anew sees the new."""
    publish(warehouse, published, built.models(), as_of=AS_OF)
    with subprocess.Popen(  # noqa: S603 - the program is this test's own
        [sys.executable, "-c", KEEP_OPEN, str(published)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "open\n"
        say_more(warehouse, built, 1)
        publish(warehouse, published, built.models(), as_of=AS_OF)
        output, _ = reader.communicate("go on\n", timeout=60)
    assert output == "[(10,)]\n"
    assert ask(published, "select count(*) from marts.fct_v") == [(11,)]


PUBLISH_IN_LITTLE_ROOM = """
import resource, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from progress_pipeline.errors import PublishError
from progress_pipeline.warehouse.models import read_models
from progress_pipeline.warehouse.publishing import Form, publish
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
models = read_models(Path(sys.argv[2]))
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    publish(Path(sys.argv[1]), Path(sys.argv[3]), models, as_of=datetime(2026, 2, 2, tzinfo=UTC))
except PublishError as error:
    print(error)
"""


def test_a_full_disk_is_said_to_be_full(built: Project, warehouse: Path, published: Path) -> None:
    """A limit on the size of files stands for the full disk: the old file stands, and the message says what to do."""
    publish(warehouse, published, built.models(), as_of=AS_OF)
    before = published.read_bytes()
    said = subprocess.run(  # noqa: S603 - the program is this test's own
        [sys.executable, "-c", PUBLISH_IN_LITTLE_ROOM, str(warehouse), str(built.folder), str(published)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "There is no room left to publish" in said.stdout, said.stderr
    assert "stands as it was" in said.stdout
    assert published.read_bytes() == before
    assert not list(published.parent.glob(".*"))
