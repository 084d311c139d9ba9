"""Puts the assets, checks, jobs and the schedule together."""

from functools import cache

import dagster as dg

from progress_pipeline.orchestration.automation import daily_schedule, jobs
from progress_pipeline.orchestration.checks import check_assets
from progress_pipeline.orchestration.describing import asset_key
from progress_pipeline.orchestration.models import model_assets
from progress_pipeline.orchestration.publishing import published_asset
from progress_pipeline.orchestration.raw import raw_assets
from progress_pipeline.orchestration.repairs import REPAIRS, repair_asset
from progress_pipeline.orchestration.resources import RunContext
from progress_pipeline.settings import load_settings
from progress_pipeline.warehouse.checking import read_checks
from progress_pipeline.warehouse.models import read_models
from progress_pipeline.warehouse.sql_folder import SQL_FOLDER


@cache
def build_definitions() -> dg.Definitions:
    """Assemble everything. Reads the SQL folder; opens no database, makes no folder and needs no setting."""
    models = read_models(SQL_FOLDER)
    checks = read_checks(SQL_FOLDER)
    return dg.Definitions(
        assets=[
            raw_assets(),
            model_assets(models, built_elsewhere=frozenset({REPAIRS})),
            repair_asset(models),
            published_asset(models, checks),
        ],
        asset_checks=[check_assets(checks, after=asset_key(REPAIRS))],
        jobs=jobs(),
        schedules=[daily_schedule(load_settings())],
        resources={"run_context": RunContext()},
        executor=dg.in_process_executor,
    )
