"""Closing a gap by hand, for the command line."""

from progress_pipeline.clock import Clock
from progress_pipeline.errors import UsageError
from progress_pipeline.ingest.acceptances import acceptance
from progress_pipeline.ingest.loading import Loader
from progress_pipeline.orchestration.raw import run_facts
from progress_pipeline.settings import Settings
from progress_pipeline.warehouse.connection import connect
from progress_pipeline.warehouse.gaps import gap_status
from progress_pipeline.warehouse.locking import writing


def accept_gap(settings: Settings, gap_id: str, *, who: str, why: str, clock: Clock) -> None:
    """Write down that a gap is accepted.

    Raises:
        UsageError: There is no such gap, it is closed already, or no reason is given.
    """
    if not why.strip():
        raise UsageError("A gap is accepted for a reason; give one with --why.")
    path = settings.warehouse_path
    if not path.exists():
        raise UsageError(f"There is no warehouse at {path}, so no gap {gap_id} either. The first run makes it.")
    with writing(path):
        with connect(path) as connection:
            status = gap_status(connection, gap_id)
        if status is None:
            raise UsageError(f"There is no gap {gap_id}. `progress-pipeline gaps` lists them.")
        if status in {"repaired", "accepted"}:
            raise UsageError(f"The gap {gap_id} is {status} already; nothing is changed.")
        run = run_facts(settings, clock, f"accept-{gap_id}", "manual")
        with Loader(path, run) as loader:
            loader.load(acceptance(loader, gap_id=gap_id, who=who, why=why, at=clock()))
