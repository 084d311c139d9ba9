"""A world of given records."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from progress_pipeline.errors import UsageError
from tests.sandbox.conftest import Rows, Start

RECORDS: list[dict[str, Any]] = [
    {
        "transactionId": 7,
        "firstName": "Hessa",
        "lastName": "Cheganças",
        "email": "h@example.invalid",
        "memberIdentifier": "1",
        "activityId": "https://example.invalid/a",
        "activityTitle": "สอน git",
        "registration": "1263c72a-07c2-50b2-9e8b-aefe885747fd",
        "dateStarted": "2012-03-28T01:45:31.169Z",
        "progress": 100.0,
        "dateCompleted": "2013-08-29T20:47:14.997Z",
        "completionCode": "1bfaa303-42e0-5d01-a8c2-51085be1953c",
    },
]
RECORDS += [
    RECORDS[0]
    | {"transactionId": 8, "registration": "b", "progress": 15.38, "dateCompleted": None, "completionCode": None},
    RECORDS[0]
    | {
        "transactionId": 9,
        "registration": "c",
        "progress": 0.0,
        "dateStarted": None,
        "dateCompleted": "",
        "completionCode": "",
    },
]


@pytest.fixture
def records_file(tmp_path: Path) -> Path:
    """A small file of records: completed, under way, and not dated."""
    path = tmp_path / "records.parquet"
    pq.write_table(pa.Table.from_pylist(RECORDS), path)
    return path


def test_given_records_are_served_as_they_are(start: Start, rows: Rows, records_file: Path) -> None:
    """From the first, as they stand in the end."""
    found = rows(start(records_file=records_file, absent_as="null", times_as="fractions_z"), sort="transactionId")
    expected = [{field: value or None for field, value in record.items()} for record in RECORDS]
    expected[0]["progress"], expected[2]["progress"] = 100, 0
    assert found == expected


def test_given_records_unfold_to_a_start_and_a_final_state(start: Start, rows: Rows, records_file: Path) -> None:
    """A start is told when it was, and the final state when it came about."""
    sandbox = start(records_file=records_file, records_unfold=True, transactions="in_place")
    sandbox.clock.set(datetime(2012, 3, 29, tzinfo=UTC))
    progress = {one["transactionId"]: one["progress"] for one in rows(sandbox)}
    assert progress == {7: 0, 8: 0, 9: 0}
    sandbox.clock.set(datetime(2013, 8, 30, tzinfo=UTC))
    assert {one["transactionId"]: one["progress"] for one in rows(sandbox)} == {7: 100, 8: 15.38, 9: 0}
    per_update = start(records_file=records_file, records_unfold=True)
    per_update.clock.move(timedelta(days=600))
    assert sorted(one.transaction_id for one in per_update.truth.updates()) == [7, 8, 9, 10, 11]


def test_a_file_that_is_not_one_of_records_is_refused(start: Start, tmp_path: Path) -> None:
    """With its name and what is missing."""
    pq.write_table(pa.table({"transactionId": [1]}), tmp_path / "some.parquet")
    (tmp_path / "text.parquet").write_text("no parquet")
    wrong = [{**RECORDS[0], "dateStarted": "yesterday"}]
    pq.write_table(pa.Table.from_pylist(wrong), tmp_path / "wrong.parquet")
    for name in ("some", "text", "wrong", "none"):
        with pytest.raises(UsageError, match=f"{name}.parquet"):
            start(records_file=tmp_path / f"{name}.parquet")
