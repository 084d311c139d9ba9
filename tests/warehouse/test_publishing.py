"""The published file: what is in it, how it is described, and what it costs to make."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from progress_pipeline.warehouse.publishing import Form, memory_for_publishing, publish
from tests.warehouse.projects import Project
from tests.warehouse.published import AS_OF, ask, say_more


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


def test_the_manifest_describes_the_file(built: Project, warehouse: Path, published: Path) -> None:
    """Its hash is that of the bytes, its counts those of the tables."""
    done = publish(warehouse, published, built.models(), as_of=AS_OF)
    manifest = json.loads((published.parent / "progress.duckdb.manifest.json").read_text(encoding="utf-8"))
    assert manifest["sha256"] == done.sha256 == sha256(published.read_bytes()).hexdigest()
    assert manifest["byte_count"] == done.byte_count == published.stat().st_size
    assert manifest["as_of"] == "2026-02-01T05:00:00+00:00"
    assert {"name": "marts.fct_v", "row_count": 10} in manifest["tables"]


@pytest.mark.parametrize(("most", "given"), [(3, 3), (8, 6), (21, 7), (60, 20)])
def test_publishing_leaves_most_memory_to_others_where_there_is_much(most: int, given: int) -> None:
    """In GB: a third of what DuckDB would take; no less than six where there are so many, and no more than there is."""
    assert memory_for_publishing(most * 10**9) == given * 10**9
