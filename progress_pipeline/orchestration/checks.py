"""The SQL checks as asset checks: one step asserts what is selected, after the repair and before publishing."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import dagster as dg

from progress_pipeline.orchestration.describing import as_table, asset_key
from progress_pipeline.orchestration.resources import RunContext
from progress_pipeline.settings import Settings
from progress_pipeline.warehouse.checking import Check, CheckResult, run_check
from progress_pipeline.warehouse.connection import connect
from progress_pipeline.warehouse.locking import writing

if TYPE_CHECKING:
    from progress_pipeline.orchestration.alerts import Alerts

_SEVERITIES = {"error": dg.AssetCheckSeverity.ERROR, "warn": dg.AssetCheckSeverity.WARN}


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
        settings = run_context.settings()
        alerts = _alerts(settings)
        with writing(settings.warehouse_path), connect(settings.warehouse_path) as connection:
            for key in sorted(context.selected_asset_check_keys, key=lambda key: key.name):
                yield _result(run_check(connection, by_name[key.asset_key, key.name]))
            if alerts:
                alerts.gather(connection, run_context.clock()())
        if alerts:
            alerts.send()

    return assert_checks


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


def _result(result: CheckResult) -> dg.AssetCheckResult:
    check = result.check
    return dg.AssetCheckResult(
        asset_key=asset_key(check.model),
        check_name=check.name,
        passed=result.has_passed,
        severity=_SEVERITIES[check.severity],
        description=check.description if result.has_passed else f"{result.failing_count} found. {check.what_to_do}",
        metadata={
            "expected": 0,
            "observed": result.failing_count,
            "first_rows": as_table(result.rows),
        },
    )
