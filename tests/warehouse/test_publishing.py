"""The published file: what is in it, how it takes the old one's place, and when it does not."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import duckdb
import pytest

from progress_pipeline.errors import PublishError, WarehouseBusyError
from progress_pipeline.warehouse.building import build
from progress_pipeline.warehouse.connection import connect
from progress_pipeline.warehouse.publishing import Form, memory_for_publishing, publish
from tests.warehouse.projects import Project

AS_OF = datetime(2026, 2, 1, 5, tzinfo=UTC)


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """Where the file is to be."""
    return tmp_path / "published" / "progress.duckdb"


@pytest.fixture
def built(project: Project, warehouse: Path) -> Project:
    """A warehouse with models of every kind."""
    project.write("staging.stg_said", "select cast(k as bigint) as k, v from raw.said")
    project.write(
        "marts.fct_v",
        "select k, v from staging.stg_said",
        description="It's what was said.",
        columns={"k": 'The key\'s "name"; | and <b>.', "v": "The value."},
        materialized="table",
        grain="One row per key",
    )
    project.write("marts.of_marts", "select k, v * 2 as v from marts.fct_v", columns={"v": "Twice the value."})
    project.write("audit.with_prelude", "select k, json_text('{\"a\": 1}', 'a') as a from marts.fct_v")
    project.write("audit.of_staging", "select k from staging.stg_said")
    with connect(warehouse) as connection:
        connection.execute("create schema raw")
        connection.execute(
            "create table raw.said as select 9 - range as k, range as v, 1::bigint as load_number from range(10)"
        )
        build(connection, project.models())
    return project


def say_more(warehouse: Path, project: Project, count: int) -> None:
    """Load and build some more rows."""
    with connect(warehouse) as connection:
        connection.execute(
            f"insert into raw.said select 1 + range + (select max(k) from raw.said), range, 2 from range({count})"
        )
        build(connection, project.models())


def ask(path: Path, sql: str) -> list[tuple[object, ...]]:
    """Open a file as an analyst would, and ask."""
    connection = duckdb.connect(str(path), read_only=True)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def test_marts_and_audit_are_in_the_file_and_nothing_else(built: Project, warehouse: Path, published: Path) -> None:
    """Views that read published tables stay views; those that need more come as tables."""
    done = publish(warehouse, published, built.models(), as_of=AS_OF)
    found = ask(
        published, "select table_schema || '.' || table_name, table_type from information_schema.tables order by 1"
    )
    assert found == [
        ("audit.of_staging", "BASE TABLE"),
        ("audit.with_prelude", "BASE TABLE"),
        ("main.dictionary", "BASE TABLE"),
        ("main.readme", "BASE TABLE"),
        ("marts.fct_v", "BASE TABLE"),
        ("marts.of_marts", "VIEW"),
    ]
    assert {table.name: table.row_count for table in done.tables} == dict.fromkeys(
        ["audit.of_staging", "audit.with_prelude", "marts.fct_v", "marts.of_marts"], 10
    )
    warehouse.unlink()
    assert ask(published, "select sum(v) from marts.of_marts") == [(90,)]


def test_rows_stand_sorted_by_their_key_or_as_the_yaml_says(built: Project, warehouse: Path, published: Path) -> None:
    """A sorted table is smaller, and a look-up by its order reads little of it."""
    built.write("audit.with_prelude", "select k, v from marts.fct_v", materialized="table", sorted_by=["v"])
    say_more(warehouse, built, 0)
    publish(warehouse, published, built.models(), as_of=AS_OF)
    assert [k for (k,) in ask(published, "select k from marts.fct_v")] == list(range(10))
    assert [k for (k,) in ask(published, "select k from audit.with_prelude")] == list(range(9, -1, -1))


def test_every_table_and_column_bears_its_description(built: Project, warehouse: Path, published: Path) -> None:
    """As comments, so that every tool shows them; quotes in them are only text."""
    publish(warehouse, published, built.models(), as_of=AS_OF, form=Form(facts={"watermark": "It's yesterday."}))
    assert ask(published, "select comment from duckdb_tables() where table_name = 'fct_v'") == [
        ("One row per key. It's what was said.",)
    ]
    assert ask(published, "select column_name, comment from duckdb_columns() where table_name = 'fct_v'") == [
        ("k", 'The key\'s "name"; | and <b>.'),
        ("v", "The value."),
    ]
    assert ask(
        published, "select comment from duckdb_columns() where table_name = 'of_marts' and column_name = 'v'"
    ) == [("Twice the value.",)]
    assert ask(published, "from readme where topic in ('as_of', 'version', 'watermark')") == [
        ("as_of", "2026-02-01 05:00:00 UTC"),
        ("version", "20260201T050000Z"),
        ("watermark", "It's yesterday."),
    ]
    assert ask(published, "select * exclude (table_name) from dictionary where table_name = 'marts.fct_v'") == [
        ("k", "bigint", "yes", 'The key\'s "name"; | and <b>.'),
        ("v", "bigint", "", "The value."),
    ]


def test_duckdb_1_5_can_open_it(built: Project, warehouse: Path, published: Path) -> None:
    """The file says which format it is in; most shells are still of that version."""
    publish(warehouse, published, built.models(), as_of=AS_OF)
    assert ask(published, "select tags['storage_version'] from duckdb_databases() where not internal") == [("v1.5.0+",)]


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


def test_the_manifest_describes_the_file(built: Project, warehouse: Path, published: Path) -> None:
    """Its hash is that of the bytes, its counts those of the tables."""
    done = publish(warehouse, published, built.models(), as_of=AS_OF)
    manifest = json.loads((published.parent / "progress.duckdb.manifest.json").read_text(encoding="utf-8"))
    assert manifest["sha256"] == done.sha256 == sha256(published.read_bytes()).hexdigest()
    assert manifest["byte_count"] == done.byte_count == published.stat().st_size
    assert manifest["as_of"] == "2026-02-01T05:00:00+00:00"
    assert {"name": "marts.fct_v", "row_count": 10} in manifest["tables"]


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


@pytest.mark.parametrize(("most", "given"), [(3, 3), (8, 6), (21, 7), (60, 20)])
def test_publishing_leaves_most_memory_to_others_where_there_is_much(most: int, given: int) -> None:
    """In GB: a third of what DuckDB would take; no less than six where there are so many, and no more than there is."""
    assert memory_for_publishing(most * 10**9) == given * 10**9
