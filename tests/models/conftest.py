"""What the models' tests share: raw tables in memory, empty or of a vendor that has begun."""

from collections.abc import Iterator

import duckdb
import pytest

from progress_pipeline.warehouse.connection import run_prelude
from tests.models.one_transaction import BEGUN, PULL, other
from tests.models.play import Raw


@pytest.fixture
def raw() -> Iterator[Raw]:
    """Empty raw tables, ready for models."""
    with duckdb.connect() as connection:
        run_prelude(connection)
        yield Raw(connection)


@pytest.fixture
def begun(raw: Raw) -> Raw:
    """A vendor whose webhook has been in use since the first day, pulled once, with nothing amiss."""
    raw.told_by_api(PULL[1], other(1))
    raw.told_by_webhook(BEGUN, "started", other(1))
    return raw
