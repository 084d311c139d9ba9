"""A process that is killed while it builds or publishes leaves what was there, and the next one does the work.

The killed process says when it has reached the point, and is then ended by SIGKILL, so nothing of ours can tidy up.
"""

import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from progress_pipeline.warehouse.building import build
from progress_pipeline.warehouse.connection import connect
from progress_pipeline.warehouse.publishing import publish
from tests.warehouse.projects import BY_K, BY_LOAD, Project, rows

AS_OF = datetime(2026, 2, 1, 5, tzinfo=UTC)

ENDLESS = """
    select count(*) as k, max(one.k) as g from raw.many as one cross join raw.many as two where hash(one.k, two.k) = 0
"""
"""A model that says nothing for hours."""

PROGRAM = """
import sys, threading, time
from datetime import UTC, datetime
from pathlib import Path
from progress_pipeline.warehouse.building import build
from progress_pipeline.warehouse.connection import connect
from progress_pipeline.warehouse.models import read_models
from progress_pipeline.warehouse.publishing import publish

warehouse, folder, published, what = (*map(Path, sys.argv[1:4]), sys.argv[4])
models = read_models(folder)
print("ready", flush=True)
if what == "build":
    with connect(warehouse) as connection:
        build(connection, models)
else:
    publish(warehouse, published, models, as_of=datetime(2026, 2, 2, 5, tzinfo=UTC))
print("done", flush=True)
"""


@pytest.fixture
def filled(project: Project, warehouse: Path) -> Project:
    """A built warehouse with a second load that is not built yet, and much to multiply."""
    project.write("staging.stg_said", "select k, g, load_number from raw.said", **BY_LOAD)
    project.write("marts.fct_v", "select k, max(g) as g from staging.stg_said group by k", **BY_K)
    with connect(warehouse) as connection:
        connection.execute("create schema raw")
        connection.execute(
            "create table raw.said as select range as k, 1 as g, 1::bigint as load_number from range(1000)"
        )
        connection.execute("create table raw.many as select range as k, 1::bigint as load_number from range(3000000)")
        build(connection, project.models())
        connection.execute("insert into raw.said select range, 2, 2 from range(500)")
    return project


def kill_in(warehouse: Path, project: Project, published: Path, what: str, *, after: float) -> None:
    """Start the program, and kill it a while after it is ready, if it is not done by then."""
    with subprocess.Popen(  # noqa: S603 - the program is this test's own
        [sys.executable, "-c", PROGRAM, str(warehouse), str(project.folder), str(published), what],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(after)
        process.send_signal(signal.SIGKILL)
        assert process.wait() in {-signal.SIGKILL, 0}


def test_a_build_killed_half_way_leaves_the_old_tables_and_the_next_makes_the_new(
    filled: Project, warehouse: Path, tmp_path: Path
) -> None:
    """Two models were written when the kill came; neither they nor their state stand afterwards."""
    filled.write("marts.zzz_endless", ENDLESS, materialized="table")
    kill_in(warehouse, filled, tmp_path / "p.duckdb", "build", after=1.0)
    filled.remove("marts.zzz_endless")
    with connect(warehouse) as connection:
        assert rows(connection, "marts.fct_v") == [(k, 1) for k in range(1000)]
        built = {one.model: one.changed_rows for one in build(connection, filled.models())}
        assert built == {"staging.stg_said": 500, "marts.fct_v": 1000}
        assert rows(connection, "marts.fct_v") == [(k, 2 if k < 500 else 1) for k in range(1000)]


@pytest.mark.parametrize("after", [0.01, 0.04, 0.07])
def test_a_build_killed_at_any_instant_is_done_whole_or_not_at_all(
    filled: Project, warehouse: Path, tmp_path: Path, after: float
) -> None:
    """Rows and state agree, whatever the instant, so the next build ends as a rebuild would."""
    kill_in(warehouse, filled, tmp_path / "p.duckdb", "build", after=after)
    with connect(warehouse) as connection:
        assert len(rows(connection, "staging.stg_said")) in {1000, 1500}
        build(connection, filled.models())
        by_increments = rows(connection, "marts.fct_v")
        build(connection, filled.models(), full_refresh=True)
        assert rows(connection, "marts.fct_v") == by_increments == [(k, 2 if k < 500 else 1) for k in range(1000)]


def test_a_publishing_that_is_killed_leaves_the_old_file_and_the_next_tidies_up(
    filled: Project, warehouse: Path, tmp_path: Path
) -> None:
    """The half-made file has a name of its own, and goes when the next one is published."""
    folder = tmp_path / "published"
    published = folder / "progress.duckdb"
    publish(warehouse, published, filled.models(), as_of=AS_OF)
    before = published.read_bytes()
    with connect(warehouse) as connection:
        connection.execute("create view marts.zzz_endless as " + ENDLESS)
    filled.write("marts.zzz_endless", ENDLESS)
    kill_in(warehouse, filled, published, "publish", after=1.0)
    assert published.read_bytes() == before
    assert list(folder.glob(".*.building*"))
    filled.remove("marts.zzz_endless")
    publish(warehouse, published, filled.models(), as_of=AS_OF)
    assert not list(folder.glob(".*"))
