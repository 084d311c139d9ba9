"""The dlt source of gaps that somebody closed by hand."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import dlt
from dlt.extract import DltResource

from progress_pipeline.ingest.loading import Loader
from progress_pipeline.ingest.raw_tables import GAP_ACCEPTANCES
from progress_pipeline.ingest.rows import arrow, naive


@dlt.source(name="raw")
def acceptance(loader: Loader, *, gap_id: str, who: str, why: str, at: datetime) -> DltResource:
    """Give one acceptance to dlt; a later one of the same gap takes its place."""
    row = {
        "gap_id": gap_id,
        "accepted_at": naive(at),
        "accepted_by": who,
        "why": why,
        "load_number": loader.load_number,
    }

    @dlt.resource(name="acceptance")
    def accepted() -> Iterator[Any]:
        yield from loader.items(GAP_ACCEPTANCES, arrow(GAP_ACCEPTANCES, [row]))
        yield from loader.carried()

    return accepted()
