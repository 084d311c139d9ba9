"""What the models' tests share: raw tables in memory."""

from collections.abc import Iterator

import duckdb
import pytest

from progress_pipeline.warehouse.connection import run_prelude
from tests.models.play import Raw


@pytest.fixture
def raw() -> Iterator[Raw]:
    """Empty raw tables, ready for models."""
    with duckdb.connect() as connection:
        run_prelude(connection)
        yield Raw(connection)
