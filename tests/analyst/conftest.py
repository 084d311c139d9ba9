"""The month that the tests of this room ask about."""

import pytest

from tests.analyst.month import Month, play


@pytest.fixture(scope="session")
def month(tmp_path_factory: pytest.TempPathFactory) -> Month:
    """The demo's month, published."""
    return play(tmp_path_factory.mktemp("month"))
