"""`marts.fct_certifications`: from when until when a completion is valid, and whether it still is."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from progress_pipeline.errors import SettingsError
from progress_pipeline.ingest.validities import read_validities
from tests.models.play import DAY, FIRST_DAY, Raw, record

AS_OF = "timestamp '2026-06-30 05:00:00'"
NOW = {
    "audit.watermarks": f"select 'completion' as update_kind, {AS_OF} as agreed_until, {AS_OF} as as_of",
}


def completion(number: int, day: str, activity: str = "a", **values: Any) -> dict[str, Any]:
    """Make a completion of a registration of its own."""
    plain = {
        "transaction_id": number,
        "registration": f"r-{number}",
        "activity_id": f"https://example.invalid/{activity}",
        "activity_title": activity.upper(),
        "progress": 100,
        "date_started": "2024-01-01T08:00:00",
        "date_completed": f"{day}T09:00:00" if day else "",
        "completion_code": f"1b50007d-5d2f-4832-a5f5-{number:012d}",
    }
    return record(**{**plain, **values})


def rule(activity: str, months: int | None, days: int | None, position: int = 0) -> dict[str, Any]:
    """Make a line of the file of validities."""
    return {"position": position, "activity_id": activity, "valid_months": months, "valid_days": days}


def certified(raw: Raw, columns: str) -> list[tuple[Any, ...]]:
    """Make the table as of 30 June 2026, and give some columns by registration."""
    raw.make("marts.fct_certifications", stand_ins=NOW)
    return raw.table("marts.fct_certifications", f"registration_id, {columns}", "length(registration_id), 1")


def test_golden_rows(raw: Raw) -> None:
    """A year's validity on 30 June: each state, each bound, and each way to complete again."""
    raw.told_by_api(
        FIRST_DAY + 180 * DAY,
        completion(1, "2025-06-29", member_identifier="lapsed yesterday"),
        completion(2, "2025-06-30", member_identifier="ends today"),
        completion(3, "2025-07-30", member_identifier="ends in 30 days"),
        completion(4, "2025-07-31", member_identifier="ends in 31 days"),
        completion(5, "2025-09-28", member_identifier="ends in 90 days"),
        completion(6, "2025-09-29", member_identifier="ends in 91 days"),
        completion(7, "2024-05-01", member_identifier="renewed late"),
        completion(8, "2025-05-11", member_identifier="renewed late"),
        completion(9, "2025-08-01", member_identifier="renewed early"),
        completion(10, "2026-06-01", member_identifier="renewed early"),
        completion(11, "2020-01-01", "b", member_identifier="never ends"),
    )
    raw.insert("activity_validities", [rule("https://example.invalid/a", 12, None)])
    assert certified(
        raw,
        "learner_id, cast(valid_until as varchar), status, days_left, expires_within_days, renewed_on, days_without",
    ) == [
        ("r-1", "lapsed yesterday", "2026-06-29", "lapsed", -1, None, None, None),
        ("r-2", "ends today", "2026-06-30", "expiring", 0, 30, None, None),
        ("r-3", "ends in 30 days", "2026-07-30", "expiring", 30, 30, None, None),
        ("r-4", "ends in 31 days", "2026-07-31", "expiring", 31, 60, None, None),
        ("r-5", "ends in 90 days", "2026-09-28", "expiring", 90, 90, None, None),
        ("r-6", "ends in 91 days", "2026-09-29", "current", 91, None, None, None),
        ("r-7", "renewed late", "2025-05-01", "renewed", None, None, date(2025, 5, 11), 9),
        ("r-8", "renewed late", "2026-05-11", "lapsed", -50, None, None, None),
        ("r-9", "renewed early", "2026-08-01", "renewed", None, None, date(2026, 6, 1), 0),
        ("r-10", "renewed early", "2027-06-01", "current", 336, None, None, None),
        ("r-11", "never ends", None, "current", None, None, None, None),
    ]


def test_months_end_on_the_last_day_that_the_month_has(raw: Raw) -> None:
    """A month after 31 January ends in February; leap days and turns of the year are kept."""
    raw.told_by_api(
        FIRST_DAY + 180 * DAY,
        *(
            completion(number, day, activity, member_identifier=f"m-{number}")
            for number, (day, activity) in enumerate(
                [
                    ("2026-01-31", "one"),
                    ("2024-01-31", "one"),
                    ("2024-02-29", "twelve"),
                    ("2025-12-15", "one"),
                    ("2026-01-31", "days"),
                ],
                start=1,
            )
        ),
    )
    raw.insert(
        "activity_validities",
        [
            rule("https://example.invalid/one", 1, None),
            rule("https://example.invalid/twelve", 12, None, 1),
            rule("https://example.invalid/days", None, 30, 2),
        ],
    )
    assert certified(raw, "cast(valid_until as varchar)") == [
        ("r-1", "2026-02-28"),
        ("r-2", "2024-02-29"),
        ("r-3", "2025-02-28"),
        ("r-4", "2026-01-15"),
        ("r-5", "2026-03-02"),
    ]


def test_a_restart_neither_ends_nor_renews_a_certificate(raw: Raw) -> None:
    """Progress from the beginning, in the same registration or in a new one, is no completion."""
    raw.told_by_api(
        FIRST_DAY + 180 * DAY,
        completion(1, "2026-01-05"),
        completion(2, "", registration="r-1", progress=10, completion_code=""),
        completion(3, "", registration="r-3", progress=100, completion_code=""),
    )
    raw.insert("activity_validities", [rule("*", 24, None)])
    assert certified(raw, "cast(valid_until as varchar), status") == [("r-1", "2028-01-05", "current")]


def test_a_completion_told_twice_renews_nothing(raw: Raw) -> None:
    """Both witnesses, and a repeated delivery: one certificate."""
    one = completion(1, "2026-01-05")
    raw.told_by_api(FIRST_DAY + 180 * DAY, one)
    raw.told_by_webhook(FIRST_DAY + 4 * DAY, "completion", one)
    raw.told_by_webhook(FIRST_DAY + 5 * DAY, "completion", one)
    assert certified(raw, "status, renewed_on") == [("r-1", "current", None)]


def test_without_start_and_without_date_the_day_of_the_telling_counts(raw: Raw) -> None:
    """An event attended, told by a push with neither."""
    raw.begin_load(FIRST_DAY + 10 * DAY)
    raw.told_by_webhook(FIRST_DAY + 4 * DAY, "completion", completion(1, "", date_started="", completion_code=""))
    assert certified(raw, "cast(valid_from as varchar), is_date_told") == [("r-1", "2026-01-05", False)]


def test_a_line_of_its_own_counts_before_the_line_for_all_and_the_newest_file_alone(raw: Raw) -> None:
    """Months of the one are never mixed with days of the other."""
    raw.told_by_api(FIRST_DAY + 180 * DAY, completion(1, "2026-01-05"), completion(2, "2026-01-05", "b"))
    raw.insert("activity_validities", [rule("https://example.invalid/b", 1, None)])
    raw.begin_load(FIRST_DAY + 181 * DAY)
    raw.insert("activity_validities", [rule("*", 24, None), rule("https://example.invalid/a", None, 10, 1)])
    assert certified(raw, "valid_months, valid_days") == [("r-1", None, 10), ("r-2", 24, None)]


def test_an_emptied_file_lets_nothing_expire(raw: Raw) -> None:
    """It is told by a line that names nothing."""
    raw.told_by_api(FIRST_DAY + 180 * DAY, completion(1, "2026-01-05"))
    raw.insert("activity_validities", [rule("*", 1, None)])
    raw.begin_load(FIRST_DAY + 181 * DAY)
    raw.insert("activity_validities", [{"position": 0}])
    assert certified(raw, "valid_until, status") == [("r-1", None, "current")]


def test_a_changed_name_renames_the_holder_of_every_certificate(raw: Raw) -> None:
    """The name is that of the learner now, whichever registration told it."""
    raw.told_by_api(
        FIRST_DAY + 180 * DAY, completion(1, "2026-01-05"), completion(2, "2026-02-05", "b", last_name="Lovelace")
    )
    assert certified(raw, "last_name") == [("r-1", "Lovelace"), ("r-2", "Lovelace")]


def test_the_file_is_read_as_a_spreadsheet_writes_it(tmp_path: Path) -> None:
    """With a mark of its encoding, blank lines and blanks around words."""
    path = tmp_path / "validities.csv"
    path.write_bytes("\ufeffactivity_id,valid_months,valid_days\r\n a , 12 ,\r\n\r\n*,,30\r\n".encode())
    assert list(read_validities(path)) == [("a", 12, None), ("*", None, 30)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("activity,months\n", ":1: the first line"),
        ("activity_id,valid_months,valid_days\na,12\n", ":2: 2 cells"),
        ("activity_id,valid_months,valid_days\na,12,30\n", ":2: a needs either months or days"),
        ("activity_id,valid_months,valid_days\na,,\n", ":2: a needs either months or days"),
        ("activity_id,valid_months,valid_days\na,-1,\n", ":2: '-1' is no number"),
        ("activity_id,valid_months,valid_days\na,1,\na,2,\n", ":3: every line names one activity"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, text: str, said: str) -> None:
    """Nothing is guessed about how long a certificate is valid."""
    path = tmp_path / "validities.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=said):
        list(read_validities(path))
