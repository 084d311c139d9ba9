"""Nobody can be found in what is published without persons: not in a byte of the file, of Parquet, or of the report.

The words looked for are all names, addresses and identifiers that the vendor ever told in the demo's month.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb

from progress_pipeline.reporting.keeping import take_away
from progress_pipeline.reporting.writing import write_report
from progress_pipeline.warehouse.personal import PersonalData, Privacy
from progress_pipeline.warehouse.publishing import Form, publish
from tests.analyst.month import Month
from tests.stepping import models_of

KEY = b"a key of sixteen characters or more"
PERSONAL = ("firstName", "lastName", "email", "memberIdentifier")
SHORTEST = 6
"""Bytes of the shortest word that is looked for: a shorter one may stand anywhere by chance."""


def words(month: Month) -> set[bytes]:
    """Give what tells of persons, its English letters in lower case."""
    told = {str(one.record[name]).encode().lower() for one in month.updates for name in PERSONAL if one.record[name]}
    return {word for word in told if len(word) >= SHORTEST}


def publish_all(month: Month, folder: Path, told: PersonalData, day: int, *, has_parquet: bool = True) -> None:
    """Publish everything as a run does: the file, Parquet, manifest, versions and the report."""
    path, as_of = folder / "progress.duckdb", month.as_of + timedelta(days=day)
    form = Form(Privacy(told, KEY), has_parquet=has_parquet)
    publish(month.warehouse, path, models_of(), as_of=as_of, form=form)
    write_report(path, folder / "report.html")


def contents(path: Path) -> Iterator[bytes]:
    """Give a file's bytes, and whatever its format may have packed: every value, comment and bound."""
    yield path.read_bytes()
    if path.suffix == ".parquet":
        for question in ("parquet_metadata", "parquet_kv_metadata", "read_parquet"):
            yield str(duckdb.execute(f"from {question}($1)", [str(path)]).fetchall()).encode()
    if path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as connection:
            listed = "select distinct schema_name || '.' || table_name from duckdb_columns() where not internal"
            for (table,) in connection.execute(listed).fetchall():
                yield str(connection.table(table).fetchall()).encode()
            for catalog in ("duckdb_columns()", "duckdb_tables()", "duckdb_views()"):
                yield str(connection.execute(f"from {catalog}").fetchall()).encode()


def found(month: Month, folder: Path) -> dict[str, set[bytes]]:
    """Give the words that are found in a folder, by the name of the file; each file once, however many names it has."""
    sought, seen = words(month), {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            seen[path.stat().st_ino] = path
    hits = {}
    for path in seen.values():
        text = b"\n".join(contents(path)).lower()
        if words_here := {word for word in sought if word in text}:
            hits[path.name] = words_here
    return hits


def test_no_byte_tells_of_a_person_who_is_not_to_be_told_of(month: Month, tmp_path: Path) -> None:
    """Of any file that a run publishes, nor of one that an earlier run left, when more was told.

    Where all is told each word is found, so that this can fail.
    """
    publish_all(month, tmp_path, PersonalData.FULL, 0)
    hits = found(month, tmp_path)
    assert len(words(month)) > 300
    assert hits["progress-20260331T050000Z.duckdb"] == hits["dim_learners.parquet"] == words(month)
    assert hits["report-20260331T050000Z.html"]
    publish_all(month, tmp_path, PersonalData.PSEUDONYMS, 1)
    assert found(month, tmp_path) == {}
    pseudonym = re.compile(rb"p-[0-9a-f]{24}")
    assert pseudonym.search((tmp_path / "report.html").read_bytes())
    publish_all(month, tmp_path, PersonalData.NONE, 2, has_parquet=False)
    assert found(month, tmp_path) == {}
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in left if any(pseudonym.search(text) for text in contents(path))] == []
    assert {path.name[-16 - len(path.suffix) :][:8] for path in (tmp_path / "versions").glob("*[l,b]")} == {"20260402"}
    publish_all(month, tmp_path, PersonalData.FULL, 3, has_parquet=False)
    assert len(list((tmp_path / "versions").glob("*.duckdb"))) == 2  # nothing is lost without a reason
    take_away(tmp_path / "report.html")
    assert list(tmp_path.rglob("*.html")) == []
