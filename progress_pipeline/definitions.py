"""What Dagster loads. Assembly only; see `orchestration/`."""

import dagster as dg

from progress_pipeline.orchestration.assembling import build_definitions


@dg.definitions
def defs() -> dg.Definitions:
    """Assemble the pipeline's definitions."""
    return build_definitions()
