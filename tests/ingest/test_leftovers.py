"""What a killed load leaves on disk is gone after the next."""

from pathlib import Path

from progress_pipeline.ingest.loading import Loader
from progress_pipeline.ingest.rows import RunFacts


def test_a_loader_removes_what_a_killed_one_left_and_nothing_else(run: RunFacts, warehouse: Path) -> None:
    """Its folder holds learners' data; that of another warehouse beside it may be in use."""
    left = warehouse.parent / ".progress.duckdb.loading-killed"
    others = warehouse.parent / ".other.duckdb.loading-busy"
    for folder in (left, others):
        folder.mkdir(parents=True)
        (folder / "part.parquet").touch()
    with Loader(warehouse, run):
        pass
    assert [path.name for path in warehouse.parent.iterdir() if path.is_dir()] == [others.name]
