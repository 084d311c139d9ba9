"""What the vendor room's tests share: retries that do not wait, a ledger, a play against the sandbox."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import stamina

from progress_pipeline.vendor.ledger import CallLedger
from tests.vendor.playing import Play

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MakeLedger: TypeAlias = Callable[..., CallLedger]
MakePlay: TypeAlias = Callable[..., Play]


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    """Retries happen at once."""
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


@pytest.fixture
def make_ledger(tmp_path: Path) -> Iterator[MakeLedger]:
    """Opens the ledger of this test; all are closed after it."""
    with ExitStack() as stack:

        def _make(**settings: Any) -> CallLedger:
            chosen: dict[str, Any] = {"daily_calls": 500, "count_day": "rolling", "clock": lambda: NOON} | settings
            return stack.enter_context(CallLedger(tmp_path / "ledger" / "calls.sqlite", **chosen))

        yield _make


@pytest.fixture
def make_play(tmp_path: Path) -> MakePlay:
    """Makes a play of days against a sandbox, by its switches."""

    def _make(**switches: Any) -> Play:
        return Play(tmp_path, **switches)

    return _make
