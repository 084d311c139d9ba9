"""What a backfill will take, before a single call is spent."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from progress_pipeline.clock import Clock
from progress_pipeline.orchestration.counted import open_ledger
from progress_pipeline.settings import Settings
from progress_pipeline.vendor.answers import Answers
from progress_pipeline.vendor.backfilling import plan_backfill
from progress_pipeline.vendor.ledger import Purpose
from progress_pipeline.vendor.planning import KnownState
from progress_pipeline.vendor.probe import PROBE_CALLS
from progress_pipeline.vendor.windows import Window
from progress_pipeline.warehouse.connection import connect
from progress_pipeline.warehouse.state import known_state


@dataclass(frozen=True)
class BackfillEstimate:
    """What a backfill will take.

    Attributes:
        from_day: Its first day.
        to_day: Its last day.
        windows: Spans that are not covered yet.
        calls: Calls expected; None where nothing is known yet of how much there is.
        calls_left: Calls that are left for it today.
        days: Days that it will take; None likewise.
        ends_on: The day on which it will be done; None likewise.
        sentence: The same in words.
    """

    from_day: date
    to_day: date
    windows: int
    calls: int | None
    calls_left: int
    days: int | None
    ends_on: date | None
    sentence: str


def estimate_backfill(settings: Settings, clock: Clock, start: datetime, end: datetime) -> BackfillEstimate:
    """Say what covering a span of days will take.

    Args:
        settings: The settings.
        clock: The run's clock.
        start: Midnight of the first day; a naive instant is UTC.
        end: Midnight of the last day.
    """
    now = clock()
    span = Window(start.replace(tzinfo=now.tzinfo), end.replace(tzinfo=now.tzinfo) + timedelta(days=1))
    state = KnownState()
    if settings.warehouse_path.exists():
        with connect(settings.warehouse_path) as connection:
            state = known_state(connection)
    with open_ledger(settings, clock) as ledger:
        left, told = ledger.left(Purpose.BACKFILL), ledger.rows_told(span.start, min(span.end, now))
        fits = Answers.load(ledger).fits(settings.api_page_size)
    estimate = plan_backfill(span, state, now=now, page_size=fits, calls_a_day=settings.api_daily_calls, told=told)
    if not estimate.asks:
        sentence = "All of it is covered already; no call is needed."
    elif estimate.calls is None:
        sentence = (
            f"Nothing is known yet of how much there is; {left} calls are left for it today. "
            f"`progress-pipeline probe` finds it out with at most {PROBE_CALLS} calls, where the vendor tells."
        )
    else:
        sentence = (
            f"About {estimate.calls} calls over {estimate.days} day(s), done on {estimate.ends_on}; "
            f"{left} calls are left for it today."
        )
    return BackfillEstimate(
        start.date(), end.date(), len(estimate.asks), estimate.calls, left, estimate.days, estimate.ends_on, sentence
    )
