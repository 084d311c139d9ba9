"""The published file as an asset: what analysts open."""

from collections.abc import Sequence
from pathlib import Path

import dagster as dg

from progress_pipeline.clock import Clock
from progress_pipeline.errors import PublishError
from progress_pipeline.orchestration.counted import open_ledger
from progress_pipeline.orchestration.describing import OWNER, asset_key
from progress_pipeline.orchestration.resources import RunContext
from progress_pipeline.reporting.keeping import take_away
from progress_pipeline.settings import Settings
from progress_pipeline.warehouse.checking import Check, run_check
from progress_pipeline.warehouse.connection import connect
from progress_pipeline.warehouse.models import Model
from progress_pipeline.warehouse.personal import PersonalData, Privacy
from progress_pipeline.warehouse.publishing import Form, publish

PUBLISHED = dg.AssetKey(["published", "progress"])
REPORT = "report.html"


def published_asset(models: Sequence[Model], checks: Sequence[Check]) -> dg.AssetsDefinition:
    """Make the step that publishes the marts and the audit."""
    shown = [model for model in models if model.schema in {"marts", "audit"}]

    @dg.asset(
        key=PUBLISHED,
        deps=[asset_key(model.name) for model in shown],
        description="The DuckDB file for analysts, every table and column described, the same as Parquet files, "
        "and the report. Replaced whole.",
        group_name="published",
        kinds={"duckdb", "file"},
        owners=[OWNER],
    )
    def published(run_context: RunContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
        """Build the file aside, verify it, and put it in the old one's place."""
        with run_context.turn() as settings:
            _refuse_if_blocked(settings.warehouse_path, [check for check in checks if check.is_blocking])
            made = publish(
                settings.warehouse_path,
                settings.published_path,
                models,
                as_of=run_context.clock()(),
                form=_form(settings),
            )
            told = _report(settings, run_context.clock())
        return dg.MaterializeResult(
            metadata={
                **told,
                "path": dg.MetadataValue.path(made.path),
                "bytes": made.byte_count,
                "sha256": made.sha256,
                "rows": dg.MetadataValue.json({table.name: table.row_count for table in made.tables}),
            }
        )

    return published


def _form(settings: Settings) -> Form:
    """Give the form that the settings ask for."""
    key = settings.pseudonym_key.get_secret_value().encode()
    return Form(Privacy(PersonalData(settings.personal_data), key), has_parquet=settings.published_parquet)


def _report(settings: Settings, clock: Clock) -> dict[str, dg.MetadataValue]:
    """Write the report beside the published file, or see that none stands there if none is wanted."""
    if not settings.report:
        take_away(settings.published_path.with_name(REPORT))
        return {}
    # Charts and templates take a fifth of a second to import, which only a run should pay for.
    from progress_pipeline.reporting.writing import write_report  # noqa: PLC0415 - see above

    calls: dict[str, int] = {}
    if settings.ledger_path.exists():
        with open_ledger(settings, clock) as ledger:
            calls = {"left": ledger.left(), "granted": settings.api_daily_calls}
    published = settings.published_path
    return {"report": dg.MetadataValue.path(write_report(published, published.with_name(REPORT), calls=calls))}


def _refuse_if_blocked(warehouse: Path, checks: Sequence[Check]) -> None:
    with connect(warehouse) as connection:
        failing = [result for check in checks if not (result := run_check(connection, check)).has_passed]
    if failing:
        told = "; ".join(f"{each.check.name}: {each.failing_count} found. {each.check.what_to_do}" for each in failing)
        raise PublishError(f"Nothing new is published, and the old file stands, because a check failed. {told}")
