"""What a forked command finds already imported: everything that it uses, and no open file, connection or thread."""

from importlib import import_module

from progress_pipeline.orchestration.assembling import build_definitions
from tests.stepping import models_of

for needed in (
    "progress_pipeline.cli.app",
    "progress_pipeline.ingest.loading",
    "progress_pipeline.orchestration.running",
):
    import_module(needed)
models_of()
build_definitions().resolve_job_def("daily")
