"""The published tables as Parquet files: a folder for each version, and a link that is turned in one instant."""

import json
import shutil
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from progress_pipeline.errors import PublishError
from progress_pipeline.warehouse.building import build
from progress_pipeline.warehouse.connection import connect
from progress_pipeline.warehouse.personal import PersonalData, Privacy
from progress_pipeline.warehouse.publishing import Form, publish
from tests.warehouse.projects import Project

AS_OF = datetime(2026, 2, 1, 5, tzinfo=UTC)
FORM = Form(has_parquet=True, keep=2)


@pytest.fixture
def folder(project: Project, warehouse: Path, tmp_path: Path) -> Path:
    """Where a first version was published."""
    project.write("marts.fct_v", "select k, v from raw.said", columns={"k": "The key."}, materialized="table")
    project.write("audit.of_marts", "select k from marts.fct_v")
    with connect(warehouse) as connection:
        connection.execute("create schema raw")
        connection.execute("create table raw.said as select 9 - range as k, range as v, 1 as load_number from range(9)")
        build(connection, project.models())
    publish(warehouse, tmp_path / "out" / "progress.duckdb", project.models(), as_of=AS_OF, form=FORM)
    return tmp_path / "out"


def say(warehouse: Path, project: Project, rows: str) -> None:
    """Load and build some more rows."""
    with connect(warehouse) as connection:
        connection.execute(f"insert into raw.said values {rows}")
        build(connection, project.models())


def test_every_table_is_a_file_that_pandas_reads(folder: Path) -> None:
    """Views too, and the two tables that tell of the file itself."""
    files = sorted(path.relative_to(folder / "parquet").as_posix() for path in (folder / "parquet").rglob("*.parquet"))
    assert files == ["audit/of_marts.parquet", "dictionary.parquet", "marts/fct_v.parquet", "readme.parquet"]
    frame = pd.read_parquet(folder / "parquet" / "marts" / "fct_v.parquet")
    assert (list(frame.columns), list(frame["k"])) == (["k", "v"], list(range(1, 10)))


def test_the_manifest_has_the_hash_of_each_file(folder: Path) -> None:
    """Of its bytes."""
    manifest = json.loads((folder / "progress.duckdb.manifest.json").read_text(encoding="utf-8"))
    told = {each["file"]: each["sha256"] for each in manifest["parquet"]}
    assert told == {
        path.relative_to(folder / "parquet").as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in (folder / "parquet").rglob("*.parquet")
    }
    assert told


def test_an_older_version_stays_as_it_was_for_who_has_followed_the_link(
    folder: Path, project: Project, warehouse: Path
) -> None:
    """The link is turned, the folder stays until it is the oldest of too many."""
    followed = (folder / "parquet").resolve()
    for day in (2, 3):
        say(warehouse, project, f"({100 + day}, 1, {day})")
        publish(warehouse, folder / "progress.duckdb", project.models(), as_of=AS_OF.replace(day=day), form=FORM)
        count = len(pd.read_parquet(folder / "parquet" / "marts" / "fct_v.parquet"))
        assert count == 8 + day
        if day == 2:
            assert len(pd.read_parquet(followed / "marts" / "fct_v.parquet")) == 9
    assert not followed.exists()
    assert len(list((folder / "versions").glob("*.parquet"))) == 2


def test_a_failed_verification_leaves_the_link_as_it_was(folder: Path, project: Project, warehouse: Path) -> None:
    """And nothing beside it."""
    followed = (folder / "parquet").resolve()
    say(warehouse, project, "(5, 1, 2)")
    with pytest.raises(PublishError, match="not unique"):
        publish(warehouse, folder / "progress.duckdb", project.models(), as_of=AS_OF, form=FORM)
    assert (folder / "parquet").resolve() == followed
    assert not list(folder.glob(".*"))


def test_who_wants_no_parquet_has_no_old_one_left(folder: Path, project: Project, warehouse: Path) -> None:
    """A folder that is not renewed would be read for a new one."""
    publish(warehouse, folder / "progress.duckdb", project.models(), as_of=AS_OF)
    assert not (folder / "parquet").exists()


def test_publishing_the_same_again_changes_nothing(folder: Path, project: Project, warehouse: Path) -> None:
    """The same instant and the same rows: the link names a folder with the same rows."""
    publish(warehouse, folder / "progress.duckdb", project.models(), as_of=AS_OF, form=FORM)
    assert duckdb.execute(f"select count(*) from '{folder}/parquet/marts/fct_v.parquet'").fetchall() == [(9,)]


def test_a_folder_where_the_link_belongs_is_named_before_anything_is_replaced(
    folder: Path, warehouse: Path, project: Project
) -> None:
    """As `cp -rL` leaves it: nothing in it is removed, and the old file stands."""
    copied = folder.with_name("copied")
    shutil.copytree(folder, copied, symlinks=False)
    before = (copied / "progress.duckdb").read_bytes()
    with pytest.raises(PublishError, match="is no link"):
        publish(warehouse, copied / "progress.duckdb", project.models(), as_of=AS_OF, form=FORM)
    assert (copied / "progress.duckdb").read_bytes() == before
    assert (copied / "parquet" / "readme.parquet").exists()


def test_what_cannot_be_put_beside_a_new_file_is_told_as_that(folder: Path, warehouse: Path, project: Project) -> None:
    """The file has been replaced by then, so nobody is told that the old one stands."""
    shutil.rmtree(folder / "versions")
    (folder / "versions").touch()
    say(warehouse, project, "(100, 1, 2)")
    before = (folder / "progress.duckdb").read_bytes()
    with pytest.raises(PublishError, match="is new and whole, but what belongs beside it"):
        publish(warehouse, folder / "progress.duckdb", project.models(), as_of=AS_OF, form=FORM)
    assert (folder / "progress.duckdb").read_bytes() != before


def test_an_old_version_that_tells_of_persons_and_cannot_be_removed_is_named(
    folder: Path, warehouse: Path, project: Project, tmp_path: Path
) -> None:
    """Who wants less told learns what still tells more; whatever can be removed is."""
    version = (folder / "parquet").resolve()
    version.rename(tmp_path / "elsewhere")
    version.symlink_to(tmp_path / "elsewhere")  # no folder of ours, so it is not removed
    form = Form(Privacy(PersonalData.NONE), has_parquet=True, keep=2)
    later = AS_OF.replace(day=2)
    with pytest.raises(PublishError, match=f"is new and whole.*{version.name} tells more of persons.*run again"):
        publish(warehouse, folder / "progress.duckdb", project.models(), as_of=later, form=form)
    assert [each.name for each in (folder / "versions").glob("*.duckdb")] == ["progress-20260202T050000Z.duckdb"]
    assert "-none" in (folder / "parquet").resolve().name
    version.unlink()
    publish(warehouse, folder / "progress.duckdb", project.models(), as_of=later, form=form)
