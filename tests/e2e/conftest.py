"""A vendor, and the settings by which a command reaches it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.plain_vendor import Switches, Vendor

Serve = Callable[[Switches], Vendor]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start vendors, and stop them at the end."""
    with ExitStack() as stack:
        yield lambda switches: stack.enter_context(Vendor(switches))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Name the folder in which a run keeps its data."""
    return tmp_path / "data"
