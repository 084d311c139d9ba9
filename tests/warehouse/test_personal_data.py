"""What a published file tells of persons: all of it, pseudonyms, or nothing."""

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import duckdb
import pytest

from progress_pipeline.warehouse.building import build
from progress_pipeline.warehouse.connection import connect
from progress_pipeline.warehouse.models import read_models
from progress_pipeline.warehouse.personal import PersonalData, Privacy
from progress_pipeline.warehouse.publishing import Form, publish
from progress_pipeline.warehouse.sql_folder import SQL_FOLDER
from tests.models.play import DAY, FIRST_DAY, HOUR, Raw, record

AS_OF = datetime(2026, 1, 3, 5, tzinfo=UTC)
KEY = b"a key of sixteen characters or more"
WORDS = ("Zebedee", "Quimby", "Xanthippe", "zq.person@mail.invalid", "zq-4711", "other.zq@mail.invalid")
"""What no file without personal data may hold, in whichever case."""


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse in which the same persons stand everywhere, in gaps and repairs too."""
    path = tmp_path_factory.mktemp("personal") / "progress.duckdb"
    one = record(first_name="Zebedee", last_name="Quimby", email="ZQ.Person@mail.invalid", member_identifier="ZQ-4711")
    two = {"registration": "r-2", "first_name": "Xanthippe", "email": "other.zq@mail.invalid", "member_identifier": ""}
    with connect(path) as connection:
        raw = Raw(connection)
        raw.told_by_api(FIRST_DAY + DAY, one, record(transaction_id=2, **two))
        raw.told_by_webhook(FIRST_DAY + 9 * HOUR, "started", {**one, "last_name": "Xanthippe"})
        raw.begin_load(FIRST_DAY + 2 * DAY + 5 * HOUR, purpose="repair")
        raw.call("repair", FIRST_DAY, FIRST_DAY + 2 * DAY, FIRST_DAY + 2 * DAY, [one])
        raw.window("repair", FIRST_DAY, FIRST_DAY + DAY, FIRST_DAY + 2 * DAY, search="zq.person@mail.invalid")
        raw.insert(
            "gap_acceptances",
            [{"gap_id": "none", "accepted_at": FIRST_DAY, "accepted_by": "Quimby", "why": "Quimby said so"}],
        )
        build(raw.connection, read_models(SQL_FOLDER))
    return path


@pytest.fixture(scope="module")
def published(warehouse: Path) -> Callable[[Privacy], Path]:
    """Publish in a form, with Parquet files; each form once."""

    @cache
    def once(privacy: Privacy) -> Path:
        path = warehouse.parent / hashlib.sha256(str(privacy).encode() + privacy.key).hexdigest() / "out.duckdb"
        publish(warehouse, path, read_models(SQL_FOLDER), as_of=AS_OF, form=Form(privacy, has_parquet=True))
        return path

    return once


Published = Callable[[Privacy], Path]


def texts(path: Path) -> str:
    """Give every value and every comment of a file, in lower case."""
    connection = duckdb.connect(str(path), read_only=True)
    try:
        tables = connection.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
        found = [str(connection.execute(f"from {table}").fetchall()) for (table,) in tables]
        found.append(str(connection.execute("select comment from duckdb_columns()").fetchall()))
    finally:
        connection.close()
    return "\n".join(found).lower()


@pytest.mark.parametrize("told", [PersonalData.PSEUDONYMS, PersonalData.NONE])
def test_no_person_can_be_found_in_any_table(published: Published, told: PersonalData) -> None:
    """Neither as values nor quoted in the audit, neither in the DuckDB file nor in the Parquet files."""
    path = published(Privacy(told, KEY))
    said = texts(path)
    assert [word for word in WORDS if word.lower() in said] == []
    parquet = path.with_name("parquet").resolve()
    for file in parquet.rglob("*.parquet"):
        rows = str(duckdb.execute(f"from '{file}'").fetchall()).lower()
        assert [word for word in WORDS if word.lower() in rows] == []


def test_the_same_words_are_found_where_all_is_told(published: Published) -> None:
    """So that the test above can fail."""
    said = texts(published(Privacy()))
    assert [word for word in WORDS if word.lower() not in said] == []


def test_the_same_person_has_the_same_pseudonym_everywhere(published: Published) -> None:
    """By the standard's HMAC; another key gives another pseudonym; the key itself is in no file."""
    path = published(Privacy(PersonalData.PSEUDONYMS, KEY))
    expected = "p-" + hmac.new(KEY, b"ZQ-4711", hashlib.sha256).hexdigest()[:24]
    address = "p-" + hmac.new(KEY, b"other.zq@mail.invalid", hashlib.sha256).hexdigest()[:24]
    connection = duckdb.connect(str(path), read_only=True)
    try:
        for table in ("fct_progress", "dim_learners", "fct_unfinished", "fct_progress_events"):
            rows = connection.execute(f"select distinct learner_id from marts.{table}").fetchall()
            assert sorted(rows) == sorted([(expected,), (address,)])
        rows = connection.execute("select member_identifier, email from marts.dim_learners order by all").fetchall()
        assert rows[0][0] == expected
        assert rows[1] == (None, address)
    finally:
        connection.close()
    for file in path.parent.rglob("*"):
        assert not file.is_file() or KEY not in file.read_bytes()
    other = published(Privacy(PersonalData.PSEUDONYMS, KEY[::-1]))
    assert expected not in texts(other)


def test_a_key_longer_than_a_block_is_hashed_first(published: Published) -> None:
    """As the standard has it."""
    key = KEY * 3
    said = texts(published(Privacy(PersonalData.PSEUDONYMS, key)))
    assert hmac.new(key, b"ZQ-4711", hashlib.sha256).hexdigest()[:24] in said


def test_without_persons_the_facts_stay(published: Published) -> None:
    """Tables about persons alone are gone, columns that tell them apart too; each other row is there."""
    path = published(Privacy(PersonalData.NONE, KEY))
    connection = duckdb.connect(str(path), read_only=True)
    try:
        tables = {name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()}
        columns = {name for (name,) in connection.execute("select column_name from duckdb_columns()").fetchall()}
        counts = connection.execute("select count(*), count(activity_id) from marts.fct_progress").fetchall()
    finally:
        connection.close()
    assert not {"dim_learners", "dim_learners_history"} & tables
    assert not {"learner_id", "email", "first_name", "last_name", "member_identifier"} & columns
    assert counts == [(2, 2)]
