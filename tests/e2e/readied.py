"""What a forked command finds already imported: everything that it uses, and no open file, connection or thread."""

from importlib import import_module

import stamina

from progress_pipeline.orchestration.assembling import build_definitions
from progress_pipeline.orchestration.describing import column_lineage
from progress_pipeline.warehouse.models import read_models
from progress_pipeline.warehouse.sql_folder import SQL_FOLDER
from tests.stepping import models_of

for needed in (
    "progress_pipeline.cli.app",
    "progress_pipeline.ingest.loading",
    "progress_pipeline.orchestration.running",
    "progress_pipeline.reporting.writing",
):
    import_module(needed)
stamina.set_testing(True, attempts=10, cap=True)  # as many tries as in earnest, without the seconds between them
models_of()
build_definitions().resolve_job_def("daily")
_models = read_models(SQL_FOLDER)
column_lineage(tuple(_models))  # traced once for all models, and kept
