"""Opens the calls ledger for whoever counts by it; light, since `status` does too.

Which instant counts a call is decided here: the run's own where the vendor is a double on this machine, which plays
time, and the machine's everywhere else (docs/decisions/0003).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from progress_pipeline.clock import Clock, system_clock
from progress_pipeline.settings import Settings
from progress_pipeline.vendor.ledger import CallLedger
from progress_pipeline.vendor.ledger_errors import as_our_errors


@contextmanager
def open_ledger(settings: Settings, clock: Clock) -> Iterator[CallLedger]:
    """Open the calls ledger, on the clock by which this vendor's calls count."""
    with (
        as_our_errors(settings.ledger_path),
        CallLedger(
            settings.ledger_path,
            daily_calls=settings.api_daily_calls,
            count_day=settings.api_count_day,
            clock=clock if settings.api_is_on_this_machine else system_clock,
        ) as ledger,
    ):
        yield ledger
