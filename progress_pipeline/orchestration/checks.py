"""The SQL checks as asset checks: one step asserts what is selected, after the repair and before publishing."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import dagster as dg
import duckdb

from progress_pipeline.orchestration.check_charts import CHARTS, bars
from progress_pipeline.orchestration.describing import as_table, asset_key
from progress_pipeline.orchestration.resources import RunContext
from progress_pipeline.settings import Settings
from progress_pipeline.warehouse.check_charts import Series, chart_values
from progress_pipeline.warehouse.checking import Check, CheckResult, run_check
from progress_pipeline.warehouse.connection import connect

if TYPE_CHECKING:
    from progress_pipeline.orchestration.alerts import Alerts

_SEVERITIES = {"error": dg.AssetCheckSeverity.ERROR, "warn": dg.AssetCheckSeverity.WARN}

TOLD = "told"
"""The column in which a check's SELECT may say in a sentence what it found."""

SENTENCES = 3
"""Findings that a failing check names in its first line."""


def check_assets(checks: Sequence[Check], *, after: dg.AssetKey) -> dg.AssetChecksDefinition:
    """Make the step that asserts the checks.

    Args:
        checks: The checks.
        after: The asset that must have had its turn before anything is judged.
    """
    by_name = {(asset_key(check.model), check.name): check for check in checks}
    specs = [
        dg.AssetCheckSpec(
            check.name,
            asset=asset_key(check.model),
            description=_described(check),
            additional_deps=[after, *(asset_key(each) for each in check.depends_on if each != check.model)]
            if asset_key(check.model) != after
            else [asset_key(each) for each in check.depends_on if each != check.model],
            metadata={"sql": dg.MetadataValue.md(f"```sql\n{check.sql}\n```")},
        )
        for check in checks
    ]

    @dg.multi_asset_check(name="checks", specs=specs, can_subset=True)
    def assert_checks(context: dg.AssetCheckExecutionContext, run_context: RunContext) -> Iterator[dg.AssetCheckResult]:
        """Assert the selected checks on the tables as they stand now, and tell of gaps that opened or closed."""
        with run_context.turn() as settings, connect(settings.warehouse_path) as connection:
            alerts = _alerts(settings)
            keys = sorted(context.selected_asset_check_keys, key=lambda key: key.name)
            yield from _results(connection, [by_name[key.asset_key, key.name] for key in keys])
            if alerts:
                alerts.gather(connection, run_context.clock()())
        if alerts:
            alerts.send()

    return assert_checks


def _results(connection: duckdb.DuckDBPyConnection, checks: Sequence[Check]) -> Iterator[dg.AssetCheckResult]:
    """Run checks; the charts' values are asked for once, if a check that has one fails."""
    values: Series = {}
    for check in checks:
        result = run_check(connection, check)
        chart = CHARTS.get(check.name)
        if result.has_passed or chart is None:
            yield _result(result, "")
            continue
        values = values or chart_values(connection)
        yield _result(result, bars(chart.heading, values.get(chart.series, {})))


def _alerts(settings: Settings) -> "Alerts | None":
    """Give the alerts of a run, if they go anywhere; a run that sends none does not import what sends."""
    if not settings.has_alerts:
        return None
    from progress_pipeline.orchestration.alerts import Alerts  # noqa: PLC0415 - see above

    return Alerts(settings)


def _described(check: Check) -> str:
    """Say what a check asserts, what to do if it fails, and whether it holds the published file back.

    Dagster's own blocking would make every table downstream wait for a check that itself waits for the repair, which
    comes after those tables; the publishing step asks the blocking checks itself instead.
    """
    holds = " While it fails, nothing new is published." if check.is_blocking else ""
    return f"{check.description} If it fails: {check.what_to_do}{holds}"


def _result(result: CheckResult, chart: str) -> dg.AssetCheckResult:
    check = result.check
    return dg.AssetCheckResult(
        asset_key=asset_key(check.model),
        check_name=check.name,
        passed=result.has_passed,
        severity=_SEVERITIES[check.severity],
        description=check.description if result.has_passed else f"{_finding(result)} {check.what_to_do}",
        metadata={
            "expected": 0,
            "observed": result.failing_count,
            **({} if result.has_passed else {"first_rows": _rows(result), "what_to_do": check.what_to_do}),
            **_counts(result),
            **({"chart": dg.MetadataValue.md(chart)} if chart else {}),
        },
    )


def _rows(result: CheckResult) -> dg.MetadataValue:
    """Show the first rows found, without the sentences, which stand in the description."""
    return as_table([{name: row[name] for name in row if name != TOLD} for row in result.rows])


def _finding(result: CheckResult) -> str:
    """Say what was found: in the words of the check's own SELECT where it has some, else by number and first keys."""
    told = [str(row[TOLD]) for row in result.rows[:SENTENCES] if TOLD in row]
    more = result.failing_count - len(told)
    if told:
        return " ".join([*told, *([f"And {more} more."] if more else [])])
    named = [str(next(iter(row.values()))) for row in result.rows[:SENTENCES]]
    after = ", …" if result.failing_count > len(named) else ""
    return f"{result.failing_count} found: {', '.join(named)}{after}."


def _counts(result: CheckResult) -> dict[str, str]:
    """Count the rows shown by what tells gaps apart."""
    counts = {}
    for name in ("kind", "cause", "update_kind"):
        values = Counter(str(row[name]) for row in result.rows if name in row)
        if values:
            shown = ", ".join(f"{value} {count}" for value, count in values.most_common())
            of_first = f" (of the first {len(result.rows)})" if result.failing_count > len(result.rows) else ""
            counts[f"by_{name}"] = shown + of_first
    return counts
