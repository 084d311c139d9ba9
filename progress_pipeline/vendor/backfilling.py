"""What a backfill will ask, and what that will take: calls, days, and the day on which it ends."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil

from progress_pipeline.vendor.counting import reserves
from progress_pipeline.vendor.ledger import Purpose
from progress_pipeline.vendor.planning import Ask, KnownState
from progress_pipeline.vendor.windows import Window, subtract

DEARER, BEGINNING = 1.4, 2
"""Calls of a window over what a still list of an exact server would take, at most; and those before it begins."""


@dataclass(frozen=True)
class Estimate:
    """What a span will take.

    Attributes:
        asks: What would be asked.
        calls: Calls, or None where nothing is known yet of how much there is.
        days: Days at the calls that a day grants to it.
        ends_on: The day on which it would end.
    """

    asks: tuple[Ask, ...]
    calls: int | None
    days: int | None
    ends_on: date | None


def plan_backfill(  # noqa: PLR0913 - what a plan follows from, each by name
    span: Window,
    state: KnownState,
    *,
    now: datetime,
    page_size: int,
    calls_a_day: int,
    newest_first: bool = False,
    told: int | None = None,
) -> Estimate:
    """Plan to cover a span, as far as it is not, and say what it will take.

    Args:
        span: The span.
        state: What the warehouse knows.
        now: The present.
        page_size: Records that an answer holds.
        calls_a_day: Calls of a day; some are kept for other purposes.
        newest_first: Whether it begins at the newest end.
        told: Rows that the vendor said that it holds at most, for the time when nothing is proven yet.
    """
    if span.start >= now:
        return Estimate((), 0, 0, now.date())
    gaps = list(subtract(Window(span.start, min(span.end, now)), (proven.window for proven in state.proven)))
    if not gaps:
        return Estimate((), 0, 0, now.date())
    if newest_first:
        gaps.reverse()
    whole = sum((gap.duration for gap in gaps), timedelta())
    expected = [
        told * (gap.duration / whole) if rows is None and told is not None else rows
        for gap, rows in zip(gaps, (state.density.average(gap) for gap in gaps), strict=True)
    ]
    asks = tuple(
        Ask(Purpose.BACKFILL, gap, reason="backfill", expected_rows=rows)
        for gap, rows in zip(gaps, expected, strict=True)
    )
    if None in expected:
        return Estimate(asks, None, None, None)
    calls = sum(ceil((rows or 0.0) / page_size * DEARER) + BEGINNING for rows in expected)
    granted = max(1, calls_a_day - sum(reserves(calls_a_day).values()))
    days = ceil(calls / granted)
    return Estimate(asks, calls, days, now.date() + timedelta(days=days - 1))
