"""Every check fails on its planted fault, and no other check does."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from progress_pipeline.warehouse.checking import Check, read_checks, run_check
from progress_pipeline.warehouse.sql_folder import SQL_FOLDER
from tests.models.play import DAY, FIRST_DAY, HOUR, Raw, record

RUN = FIRST_DAY + 10 * DAY + 5 * HOUR
"""The newest run; there was one every day at 05:00 before it."""


@cache
def all_checks() -> tuple[Check, ...]:
    """Read the project's checks, once."""
    return read_checks(SQL_FOLDER)


def at(days: float) -> str:
    """Write an instant so many days after the first day's beginning as the vendor does."""
    return f"{FIRST_DAY + days * DAY:%Y-%m-%dT%H:%M:%S}"


def step(number: int, progress: int = 50, **values: Any) -> dict[str, Any]:
    """Make a record of a registration of its own that was started on the second day."""
    plain = {"transaction_id": number, "registration": f"r-{number}", "progress": progress, "date_started": at(1.1)}
    return record(**{**plain, **values})


def completed(number: int, days: float) -> dict[str, Any]:
    """Make a completion with date and code."""
    code = f"1b50007d-5d2f-4832-a5f5-{number:012d}"
    return step(number, 100, date_completed=at(days), completion_code=code)


def both(raw: Raw, one: dict[str, Any], days: float = 9.5, kind: str = "progressed") -> None:
    """Let both witnesses tell a record: the webhook so many days in, the API at the newest run."""
    raw.told_by_webhook(FIRST_DAY + days * DAY, kind, one)
    raw.call("daily", FIRST_DAY, RUN, RUN, [one])


def healthy(raw: Raw) -> Raw:
    """Play ten days on which all is well, odd data included: a completion a day, and a progress of 100 that is none."""
    for day in range(1, 11):
        finished, stuck = completed(day, day - 0.5), step(100 + day, 100)
        first = [completed(900, 0.4)] if day == 1 else []
        raw.told_by_api(FIRST_DAY + day * DAY + 5 * HOUR, *first, finished, stuck)
        for one in first:
            raw.told_by_webhook(FIRST_DAY + 0.4 * DAY, "completion", one)
        raw.told_by_webhook(FIRST_DAY + (day - 0.5) * DAY + HOUR / 60, "completion", finished)
        raw.told_by_webhook(FIRST_DAY + (day - 0.5) * DAY + HOUR / 60, "progressed", stuck)
    return raw


def twice(table: str, where: str = "true") -> Callable[[Raw], None]:
    """Plant a row of a table a second time."""

    def plant(raw: Raw) -> None:
        raw.connection.execute(f"insert into {table} from {table} where {where} limit 1")

    return plant


def owed_by_api(raw: Raw, days: float, kind: str = "progressed") -> None:
    """Let the webhook tell what the API never shows."""
    one = completed(700, days) if kind == "completion" else step(700)
    raw.told_by_webhook(FIRST_DAY + days * DAY, kind, one)


def owed_for_days(raw: Raw) -> None:
    """Let the webhook have told, and a run have landed, a completion that the API has not shown for two days."""
    owed_by_api(raw, 7.25, "completion")
    raw.connection.execute("update raw.webhook_updates set load_number = 8 where transaction_id = '700'")


def lost(raw: Raw) -> None:
    """Lose one completion."""
    raw.call("daily", FIRST_DAY, RUN, RUN, [completed(600, 9.7)])


def mismatch(raw: Raw) -> None:
    """Let the witnesses tell different names, and the settle time pass."""
    raw.call("daily", FIRST_DAY, RUN, RUN, [step(500)])
    raw.told_by_webhook(FIRST_DAY + 9.8 * DAY, "progressed", step(500, first_name="Eve"))
    raw.begin_load(RUN + 3 * HOUR)


def shared_code(raw: Raw) -> None:
    """Let a second registration claim the code of another's completion."""
    code = completed(10, 9.6)["completion_code"]
    both(raw, step(501, 100, date_completed=at(9.6), completion_code=code), 9.61, "completion")


def uncoded(raw: Raw) -> None:
    """A completion that has a code and no date, told so by both."""
    code = completed(500, 9.6)["completion_code"]
    both(raw, step(500, 100, completion_code=code), kind="completion")


def silence(raw: Raw) -> None:
    """Lose three completions in a row."""
    raw.call("daily", FIRST_DAY, RUN, RUN, [completed(number, 9.7 + number / 10_000) for number in (601, 602, 603)])


def runs_that_only_land(raw: Raw) -> None:
    """Two days of runs that pull nothing."""
    for hours in (20, 40):
        raw.begin_load(RUN + hours * HOUR, purpose="land")


def quiet(raw: Raw) -> None:
    """Eight days of runs on which nobody learned anything."""
    for day in range(11, 20):
        raw.told_by_api(FIRST_DAY + day * DAY + 5 * HOUR)


def old_mismatch(raw: Raw) -> None:
    """A contradiction that was named four days ago."""
    one = step(710)
    raw.told_by_webhook(FIRST_DAY + 4.5 * DAY, "progressed", {**one, **step(710, first_name="Eve")})
    raw.insert("api_progress", [{**one, "call_id": 5, "position": 9, "observed_at": FIRST_DAY + 5 * DAY + 5 * HOUR}])
    raw.connection.execute("update raw.api_progress set load_number = 5 where transaction_id = '710'")
    raw.connection.execute("update raw.webhook_updates set load_number = 5 where transaction_id = '710'")


def hole(raw: Raw) -> None:
    """A day whose windows are not proven any more."""
    raw.connection.execute("delete from raw.api_windows")
    raw.window("daily", FIRST_DAY, FIRST_DAY + 3 * DAY, RUN)
    raw.window("daily", FIRST_DAY + 4 * DAY, RUN, RUN)


def rejected(raw: Raw) -> None:
    """Something that was no record."""
    raw.insert(
        "rejects", [{"reject_id": "1", "source": "api", "reason": "no object", "raw_text": "7", "observed_at": RUN}]
    )


BEFORE: dict[str, Callable[[Raw], None]] = {
    "progress_in_range": lambda raw: both(raw, step(500, 250)),
    "completions_have_date_and_code": uncoded,
    "completion_codes_not_shared": shared_code,
    "progress_never_falls": lambda raw: both(raw, step(500, 20, registration="r-110"), 9.9),
    "records_readable": rejected,
    "values_readable": lambda raw: both(raw, step(500, 20, date_started="soon")),
    "webhook_told_everything": lost,
    "fields_agree": mismatch,
    "api_shows_everything": lambda raw: owed_by_api(raw, 9.5),
    "webhook_not_silent": silence,
    "coverage_up_to_yesterday": hole,
    "api_is_fresh": runs_that_only_land,
    "webhook_is_fresh": quiet,
    "repairs_keep_up": owed_for_days,
    "watermark_is_recent": old_mismatch,
}
"""What is planted in raw before the models are made, by the check that is to fail."""

AFTER: dict[str, Callable[[Raw], None]] = {
    "fct_progress_keys_unique": twice("intermediate.int_registrations_merged", "not is_completed"),
    "fct_completions_keys_unique": twice("intermediate.int_completions_identified"),
    "fct_progress_events_keys_unique": twice("marts.fct_progress_events"),
    "dim_learners_keys_unique": twice("marts.dim_learners"),
    "gaps_keys_unique": twice("audit.gaps"),
}
"""What is planted in a table, for what the models themselves never make."""


def failing(raw: Raw) -> set[str]:
    """Give the checks that fail."""
    return {check.name for check in all_checks() if not run_check(raw.connection, check).has_passed}


def test_every_check_has_a_fault_planted_for_it() -> None:
    """No check goes untried, and none is tried that is not there."""
    assert BEFORE.keys() | AFTER.keys() == {check.name for check in all_checks()}


def test_no_check_cries_when_all_is_well(raw: Raw) -> None:
    """Ten days of a healthy vendor, with progress of 100 that is no completion."""
    healthy(raw).make()
    assert failing(raw) == set()


def test_no_check_cries_without_a_webhook(raw: Raw) -> None:
    """A vendor that never pushes is as good as one that does."""
    healthy(raw)
    for table in ("webhook_deliveries", "webhook_updates"):
        raw.connection.execute(f"delete from raw.{table}")  # noqa: S608 - a test's own words
    raw.make()
    assert failing(raw) == set()


def test_no_check_cries_while_a_first_fill_is_under_way(raw: Raw) -> None:
    """The calls of the day are used up, and most days are still to come."""
    raw.begin_load(RUN, daily_calls=4)
    for day in range(3):
        raw.call("daily", FIRST_DAY, FIRST_DAY + DAY, RUN, [completed(day + 1, day + 0.5)])
        raw.window("daily", FIRST_DAY + day * DAY, FIRST_DAY + (day + 1) * DAY, RUN)
    for day in range(1, 11):
        raw.told_by_webhook(FIRST_DAY + (day - 0.4) * DAY, "completion", completed(day, day - 0.5))
    raw.make()
    assert failing(raw) == set()


@pytest.mark.parametrize("name", sorted(BEFORE))
def test_a_planted_fault_fails_its_check_alone(raw: Raw, name: str) -> None:
    """In what was told."""
    healthy(raw)
    BEFORE[name](raw)
    raw.make()
    assert failing(raw) == {name}


def test_a_key_that_stands_twice_fails_the_check_of_its_table_alone(raw: Raw) -> None:
    """In what the models made, one table after the other."""
    healthy(raw)
    owed_by_api(raw, 9.5)
    raw.make()
    for name, plant in AFTER.items():
        raw.connection.execute("begin")
        plant(raw)
        assert failing(raw) - {"api_shows_everything"} == {name}
        raw.connection.execute("rollback")


def test_a_pull_that_never_was_proven_is_not_fresh(raw: Raw) -> None:
    """Two days of runs, none of which could ask; before that nobody can tell."""
    raw.begin_load(FIRST_DAY + 5 * HOUR)
    raw.make()
    assert "api_is_fresh" not in failing(raw)
    raw.begin_load(FIRST_DAY + 2 * DAY + 5 * HOUR)
    assert raw.connection.execute("select count(*) from raw.runs").fetchall() == [(2,)]
    raw.connection.execute("drop schema intermediate cascade; drop schema staging cascade")
    raw.connection.execute("drop schema marts cascade; drop schema audit cascade")
    raw.make()
    assert "api_is_fresh" in failing(raw)
