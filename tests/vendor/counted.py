"""Calls that are counted and answered at once, by a clock that a test moves."""

from datetime import datetime, timedelta

from progress_pipeline.errors import CallsUsedUpError
from progress_pipeline.vendor.ledger import CallLedger, Finish, Purpose
from progress_pipeline.vendor.windows import Window
from tests.vendor.conftest import NOON

WINDOW = Window(NOON - timedelta(days=1), NOON)
ANSWERED = Finish("answered", http_status=200, row_count=3)


class Moving:
    """A clock that a test moves."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Give the instant."""
        return self.now


def make_call(ledger: CallLedger, purpose: Purpose = Purpose.DAILY) -> int:
    """Make a call that is answered, and give its number."""
    number = ledger.reserve(purpose, WINDOW, {"start": 0})
    ledger.finish(number, ANSWERED)
    return number


def calls_until_held_back(ledger: CallLedger, purpose: Purpose = Purpose.DAILY) -> int:
    """Make calls until none is granted, and count them."""
    calls = 0
    while True:
        try:
            make_call(ledger, purpose)
        except CallsUsedUpError:
            return calls
        calls += 1
