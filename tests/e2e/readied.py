"""What a forked command finds already imported: everything that it uses, and no open file, connection or thread."""

from importlib import import_module

import stamina

from progress_pipeline.orchestration.assembling import build_definitions
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
