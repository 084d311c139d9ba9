"""Landed files are loaded once each, whatever is in them and whatever happens to them."""

import json
import os
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from progress_pipeline.ingest.deliveries import Gathered
from progress_pipeline.ingest.loading import Loader
from progress_pipeline.ingest.rows import RunFacts
from progress_pipeline.ingest.webhook import LandReport, load_landed, webhook
from progress_pipeline.landing import envelopes
from progress_pipeline.landing.finding import find_files
from progress_pipeline.landing.reading import ChangedError
from tests.ingest.conftest import NOW, Look
from tests.receiver.hostile import HOSTILE


def update(transaction: int, **other: object) -> dict[str, object]:
    """One update as the vendor writes it."""
    return {"transactionId": transaction, "registration": f"r-{transaction}", "progress": 50} | other


def land(folder: Path, name: str, body: object) -> Path:
    """Put one delivery's body where any receiver would."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(body if isinstance(body, str) else json.dumps(body), encoding="utf-8")
    past = (NOW - timedelta(hours=1)).timestamp()
    os.utime(path, (past, past))
    return path


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    """The landing folder."""
    return tmp_path / "landing"


def load(warehouse: Path, run: RunFacts, landing: Path) -> LandReport:
    """Load what has landed."""
    with Loader(warehouse, run) as loader:
        report = load_landed(loader, landing, now=NOW)
        loader.load(webhook(loader))
    return report


def test_each_file_is_loaded_once(warehouse: Path, run: RunFacts, landing: Path, look: Look) -> None:
    """Run again, and nothing changes."""
    land(landing, "a/1.json", {"started": [update(1)], "progressed": [update(2), update(3)], "completions": []})
    assert load(warehouse, run, landing).updates == 3
    before = look("select * from raw.webhook_updates order by all")
    again = load(warehouse, run, landing)
    assert (again.files, again.updates) == (0, 0)
    assert look("select * from raw.webhook_updates order by all") == before
    assert look("select kind, count(*) from raw.webhook_updates group by kind order by kind") == [
        ("progressed", 2),
        ("started", 1),
    ]


def test_a_file_that_appears_late_with_an_old_time_is_loaded(
    warehouse: Path, run: RunFacts, landing: Path, look: Look
) -> None:
    """No modification time is a cursor."""
    land(landing, "new.json", {"started": [update(1)]})
    load(warehouse, run, landing)
    late = land(landing, "late.json", {"started": [update(2)]})
    os.utime(late, (1, 1))
    assert load(warehouse, run, landing).updates == 1
    assert look("select count(*) from raw.webhook_updates") == [(2,)]


def test_a_file_that_vanishes_before_it_is_read_and_comes_back_is_loaded(
    warehouse: Path, run: RunFacts, landing: Path, look: Look
) -> None:
    """It was found, but nobody has read it, so it is not known."""
    file = land(landing, "b.json", {"started": [update(1)]})
    land(landing, "a.json", {"started": [update(2)]})
    (first, second) = find_files(landing, known={})
    content = file.read_bytes()
    file.unlink()
    with Loader(warehouse, run) as loader:
        gathered = Gathered(now=NOW, load_number=loader.load_number)
        gathered.read(landing, first)
        with pytest.raises(ChangedError):
            gathered.read(landing, second)
        loader.carry(gathered.tables())
        loader.load(webhook(loader))
    assert look("select file, error from raw.webhook_files") == [("a.json", None)]
    file.write_bytes(content)
    assert load(warehouse, run, landing).updates == 1


def test_a_file_that_could_not_be_opened_is_loaded_when_it_can_though_it_looks_the_same(
    warehouse: Path, run: RunFacts, landing: Path, look: Look
) -> None:
    """What was in the way, a right of the reader or the disk, leaves no trace in a file's status."""
    file = land(landing, "a.json", {"started": [update(1)]})
    (found,) = find_files(landing, known={})
    status = file.stat()
    closed = msgspec.structs.replace(found, file_id="0" * 64, problem="cannot be opened: Permission denied")
    with Loader(warehouse, run) as loader:
        gathered = Gathered(now=NOW, load_number=loader.load_number)
        gathered.read(landing, closed)
        loader.carry(gathered.tables())
        loader.load(webhook(loader))
    assert look("select reason from raw.rejects") == [("cannot be opened: Permission denied",)]
    assert file.stat().st_ctime_ns == status.st_ctime_ns
    assert load(warehouse, run, landing).updates == 1
    assert load(warehouse, run, landing).files == 0


def test_a_broken_file_stops_nothing_and_is_named(warehouse: Path, run: RunFacts, landing: Path, look: Look) -> None:
    """What cannot be read is a delivery that says why, and a reject with the raw text."""
    land(landing, "broken.json", '{"started": [{"transactionId": 1,')
    land(landing, "good.json", {"started": [update(2)]})
    assert load(warehouse, run, landing).deliveries == 2
    assert look("select file, started_count, error is null from raw.webhook_deliveries order by file") == [
        ("broken.json", 0, False),
        ("good.json", 1, True),
    ]
    (source, raw_text), *others = look("select source, raw_text from raw.rejects")
    assert (source, raw_text, others) == ("webhook", '{"started": [{"transactionId": 1,', [])


def test_every_hostile_body_is_judged_and_none_costs_another(
    warehouse: Path, run: RunFacts, landing: Path, look: Look
) -> None:
    """Strictly: NaN, duplicate keys, a trailing comma and the like are named, with their raw text."""
    bodies = HOSTILE | {"a trailing comma": b'{"started": [],}'}
    landing.mkdir()
    (landing / "s.ndjson").write_bytes(
        b"".join(
            envelopes.write_line(body, delivery_id=name, received_at="2026-11-23T06:15:44Z")
            for name, body in bodies.items()
        )
    )
    assert load(warehouse, run, landing).deliveries == len(bodies)
    judged = {
        name: ("unreadable" if error else f"{updates} updates, {rejects} rejects")
        for name, error, updates, rejects in look(
            """select delivery_id, error, started_count + progressed_count + completion_count, reject_count
            from raw.webhook_deliveries"""
        )
    }
    readable = {name: verdict for name, verdict in judged.items() if verdict != "unreadable"}
    assert readable == {
        "a bundle": "0 updates, 0 rejects",
        "unknown keys": "0 updates, 1 rejects",
        "a flat record": "1 updates, 0 rejects",
    }
    rejected: dict[str, str] = dict(
        look("select delivery_id, raw_text from raw.rejects where reason not like 'a bundle has no part%'")
    )
    assert rejected.keys() == bodies.keys() - readable.keys()
    for name in ("NaN", "duplicate keys", "cut JSON", "a trailing comma"):
        assert rejected[name] == bodies[name].decode()


def test_a_thing_that_is_no_record_is_a_reject_and_its_neighbours_come(
    warehouse: Path, run: RunFacts, landing: Path, look: Look
) -> None:
    """One bad update costs no other."""
    land(landing, "mixed.json", {"progressed": [update(1), 42, {"progress": 3}, update(2)]})
    report = load(warehouse, run, landing)
    assert (report.updates, report.rejects) == (2, 2)
    assert look("select transaction_id from raw.webhook_updates order by position") == [("1",), ("2",)]


def test_an_empty_landing_folder_makes_every_table(warehouse: Path, run: RunFacts, landing: Path, look: Look) -> None:
    """Models find all raw tables from the first load on."""
    load(warehouse, run, landing)
    names = {name for (name,) in look("select table_name from duckdb_tables() where schema_name = 'raw'")}
    assert {"api_progress", "api_windows", "webhook_updates", "rejects", "runs", "gap_acceptances"} <= names


def test_an_update_keeps_what_the_vendor_wrote(warehouse: Path, run: RunFacts, landing: Path, look: Look) -> None:
    """Verbatim: numbers, texts, absent values and keys that nobody named."""
    land(landing, "odd.json", {"completions": [update(7, progress="100", email="", completionCode=None, shoe="41")]})
    load(warehouse, run, landing)
    assert look("select progress, email, completion_code, extra from raw.webhook_updates") == [
        ("100", "", None, '{"shoe":"41"}')
    ]
