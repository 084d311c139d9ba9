"""Jobs and the schedule: the whole path every day, and the whole path over a span."""

from typing import TYPE_CHECKING

import dagster as dg

from progress_pipeline.settings import Settings

if TYPE_CHECKING:
    # Dagster has no public name for what `define_asset_job` gives.
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

DAILY = "daily"
BACKFILL = "backfill"


def jobs() -> list["UnresolvedAssetJobDefinition"]:
    """Make the two jobs. Both materialise everything in one process, since DuckDB has one writer."""
    return [
        dg.define_asset_job(
            DAILY,
            selection=dg.AssetSelection.all(),
            executor_def=dg.in_process_executor,
            description="Pull what is not covered, land, model, repair, check, publish.",
        ),
        dg.define_asset_job(
            BACKFILL,
            selection=dg.AssetSelection.all(),
            executor_def=dg.in_process_executor,
            description="The same, covering a span that the run's configuration names (ops: raw: config: from_, to).",
        ),
    ]


def daily_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """Make the daily schedule, at the hour and in the time zone of the settings."""
    return dg.ScheduleDefinition(
        name="every_day",
        job_name=DAILY,
        cron_schedule=f"0 {settings.schedule_hour} * * *",
        execution_timezone=settings.schedule_timezone,
        description="One run a day. Switch it on in the UI, or let another scheduler call `progress-pipeline run`.",
    )
