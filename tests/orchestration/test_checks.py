"""What an operator reads of a failing check: a sentence, how many, the first of them, what to do, and a chart."""

from collections.abc import Iterator
from datetime import UTC, timedelta
from typing import Any

import dagster as dg
import duckdb
import pytest

from progress_pipeline.orchestration.check_charts import CHARTS, bars
from progress_pipeline.orchestration.checks import _results
from progress_pipeline.warehouse.checking import read_checks
from progress_pipeline.warehouse.connection import run_prelude
from progress_pipeline.warehouse.sql_folder import SQL_FOLDER
from tests.models.play import DAY, FIRST_DAY, HOUR, Raw, record

RUN = FIRST_DAY + 10 * DAY + 5 * HOUR


@pytest.fixture
def raw() -> Iterator[Raw]:
    """Ten days of a vendor who pushes one start a day, of which the API shows each."""
    with duckdb.connect() as connection:
        run_prelude(connection)
        raw = Raw(connection)
        for day in range(1, 11):
            raw.told_by_api(FIRST_DAY + day * DAY + 5 * HOUR, one(day, day - 0.5))
            raw.told_by_webhook(FIRST_DAY + (day - 0.5) * DAY, "started", one(day, day - 0.5))
        yield raw


def one(number: int, days: float, **values: Any) -> dict[str, Any]:
    """Make a start of a registration of its own, so many days in."""
    started = f"{(FIRST_DAY + days * DAY).replace(tzinfo=UTC):%Y-%m-%dT%H:%M:%S}"
    return record(**{"transaction_id": number, "registration": f"r-{number}", "date_started": started, **values})


def failed(raw: Raw) -> dict[str, dg.AssetCheckResult]:
    """Make the models, run all checks, and give those that fail."""
    raw.make()
    results = list(_results(raw.connection, read_checks(SQL_FOLDER)))
    return {str(each.check_name): each for each in results if not each.passed}


def metadata(result: dg.AssetCheckResult) -> dict[str, Any]:
    """Give the plain values of what a check shows."""
    return {name: value.value for name, value in result.metadata.items() if isinstance(value, dg.MetadataValue)}


def test_a_lost_push_is_told_with_its_key_and_a_chart(raw: Raw) -> None:
    """One start that nobody pushed: a warning, named, counted by kind and cause, on its day."""
    raw.call("daily", FIRST_DAY, RUN, RUN, [one(77, 9.7)])
    (result,) = failed(raw).values()
    shown = metadata(result)
    assert result.severity == dg.AssetCheckSeverity.WARN
    said = "The webhook never told of transaction 77 (started; cause: lost). Nothing is lost"
    assert (result.description or "").startswith(said)
    assert (shown["expected"], shown["observed"]) == (0, 1)
    assert (shown["by_kind"], shown["by_cause"]) == ("missing_webhook 1", "lost 1")
    assert "77" in shown["first_rows"]
    assert "Nothing is lost" in shown["what_to_do"]
    assert f"{RUN:%Y-%m-%d} {'█' * 24} 1" in shown["chart"]


def test_what_the_api_owes_is_a_warning_while_it_has_time_and_an_error_after(raw: Raw) -> None:
    """A completion has two days; its debt is shown by age."""
    told = one(88, 7.2, progress=100, date_completed="2026-01-08T05:00:00", completion_code="x")
    raw.told_by_webhook(FIRST_DAY + 7.3 * DAY, "completion", told)
    raw.connection.execute("update raw.webhook_updates set load_number = 8 where transaction_id = '88'")
    results = failed(raw)
    debt = results["repairs_keep_up"]
    assert debt.severity == dg.AssetCheckSeverity.ERROR
    assert f"2 {'█' * 24} 1" in metadata(debt)["chart"]
    assert "api_shows_everything" not in results


def test_an_api_that_went_stale_is_told_in_a_sentence(raw: Raw) -> None:
    """Since when, how long, and how long is allowed."""
    raw.begin_load(RUN + timedelta(hours=40), purpose="land")
    told = failed(raw)["api_is_fresh"].description or ""
    assert "was at 2026-01-11 05:00:00 UTC, 40 hours before this run; 36 are allowed." in told
    assert "Is the daily job still scheduled?" in told


def test_an_outage_that_lasts_is_told_from_when_on_and_how_much_it_lost(raw: Raw) -> None:
    """Three starts in a row that nobody pushed, up to now."""
    raw.call("daily", FIRST_DAY, RUN, RUN, [one(600 + each, 9.7 + each / 1000) for each in range(3)])
    outage = failed(raw)["webhook_not_silent"]
    assert "silent since 2026-01-10 12:00:00 UTC, and the API showed 3 changes since then." in (
        outage.description or ""
    )
    assert f"2026-01-10 {'█' * 24} 3" in metadata(outage)["chart"]


def test_every_check_about_gaps_has_a_chart() -> None:
    """By name, so that a check that is renamed keeps its chart."""
    about = {
        check.name for check in read_checks(SQL_FOLDER) if check.model.startswith("audit.") and not check.is_blocking
    }
    assert about - {"api_is_fresh", "webhook_is_fresh", "coverage_up_to_yesterday"} == CHARTS.keys()


def test_a_bar_is_as_long_as_its_value_and_never_vanishes() -> None:
    """A thousandth of the greatest is still seen."""
    drawn = bars("changes", {"a": 1000.0, "b": 500.0, "c": 1.0, "d": 0.0}).splitlines()
    assert drawn[3:7] == [
        "a " + "█" * 24 + " 1,000",
        "b " + "█" * 12 + " " * 12 + " 500",
        "c ▏" + " " * 23 + " 1",
        "d " + " " * 24 + " 0",
    ]
