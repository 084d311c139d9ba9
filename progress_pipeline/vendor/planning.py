"""What to ask today: from what is covered and what is open, in the order of what a missed call would cost.

First the coverage, from the first day to now, less what is proven; then what was asked before and may have changed.
How a window is asked, cut and proven is not decided here, nor is whether the calls suffice: the plan is in order, and
the next run continues where this one stops.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil

from progress_pipeline.vendor.answers import Answers
from progress_pipeline.vendor.ledger import Purpose
from progress_pipeline.vendor.windows import Window, join, subtract

FILL = 0.8
"""The part of a page that a window is meant to fill, so that it fits when there is more than expected."""


@dataclass(frozen=True)
class ProvenWindow:
    """A window that was proven complete.

    Attributes:
        window: The span.
        attempted_at: When it was asked.
        distinct_rows: Transactions in it.
        purpose: What it was asked for.
    """

    window: Window
    attempted_at: datetime
    distinct_rows: int
    purpose: str


@dataclass(frozen=True)
class StartedDay:
    """The registrations that were started on a UTC day, as they stand now.

    Attributes:
        day: The day.
        open_count: Those that are not complete.
        total_count: All.
    """

    day: date
    open_count: int
    total_count: int


@dataclass(frozen=True)
class KnownState:
    """What the warehouse knows, as far as asking depends on it.

    Attributes:
        proven: Windows proven complete whose rows are committed.
        unproven: Windows that were asked and not proven, and are not covered by others.
        started_days: Registrations by the day of their start.
        undated_open_count: Open registrations without a day of start.
    """

    proven: tuple[ProvenWindow, ...] = ()
    unproven: tuple[Window, ...] = ()
    started_days: tuple[StartedDay, ...] = ()
    undated_open_count: int = 0


@dataclass(frozen=True)
class Ask:
    """A span to be asked.

    Attributes:
        purpose: What for.
        window: The span.
        search: Narrows it to what a term finds; such an ask covers nothing.
        reason: Why, in a few words.
        expected_rows: Rows that it is expected to hold, where that is known.
    """

    purpose: Purpose
    window: Window
    search: str = ""
    reason: str = ""
    expected_rows: float | None = None


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


def plan_daily(  # noqa: PLR0913 - what a plan follows from, each by name
    state: KnownState,
    *,
    start_at: datetime,
    now: datetime,
    lookback: timedelta,
    page_size: int,
    answers: Answers,
    newest_first: bool = False,
) -> list[Ask]:
    """Plan a day: what is not covered first, then what is due to be asked again.

    Args:
        state: What the warehouse knows.
        start_at: First instant to be covered.
        now: The present.
        lookback: How far before the end of coverage is asked again, for what appears late.
        page_size: Records asked for in one call.
        answers: What is known of this vendor.
        newest_first: Whether a long fill begins at its newest end.
    """
    del answers
    if now <= start_at:
        return []
    span = Window(start_at, now)
    covered = join(proven.window for proven in state.proven)
    gaps = list(subtract(span, covered))
    if not gaps:
        return []
    last = gaps[-1]
    if last.end == now and last.start > start_at:
        back = max(start_at, last.start - lookback)
        if rows_expected(state.proven, Window(back, last.start)) < FILL * page_size:
            gaps[-1] = Window(back, now)
    if newest_first:
        gaps.reverse()
    return [Ask(Purpose.DAILY, gap, reason="not covered yet") for gap in gaps]


def plan_backfill(  # noqa: PLR0913 - what a plan follows from, each by name
    span: Window,
    state: KnownState,
    *,
    now: datetime,
    page_size: int,
    calls_a_day: int,
    newest_first: bool = False,
) -> Estimate:
    """Plan to cover a span, as far as it is not, and say what it will take.

    Args:
        span: The span.
        state: What the warehouse knows.
        now: The present.
        page_size: Records asked for in one call.
        calls_a_day: Calls that a day grants to it.
        newest_first: Whether it begins at the newest end.
    """
    if span.start >= now:
        return Estimate((), 0, 0, now.date())
    gaps = list(subtract(Window(span.start, min(span.end, now)), (proven.window for proven in state.proven)))
    if newest_first:
        gaps.reverse()
    asks = tuple(Ask(Purpose.BACKFILL, gap, reason="backfill") for gap in gaps)
    if not gaps:
        return Estimate((), 0, 0, now.date())
    seconds = sum(gap.duration.total_seconds() for gap in gaps)
    density = _density(state.proven)
    if density is None:
        return Estimate(asks, None, None, None)
    calls = max(len(gaps), ceil(seconds * density / (FILL * page_size)) + len(gaps))
    days = ceil(calls / max(1, calls_a_day))
    return Estimate(asks, calls, days, now.date() + timedelta(days=days - 1))


def rows_expected(proven: Iterable[ProvenWindow], span: Window) -> float:
    """Give how many rows a span is expected to hold, by the newest windows that lie in it."""
    expected = 0.0
    left = [span]
    for each in sorted(proven, key=lambda proven: proven.attempted_at, reverse=True):
        if not left:
            break
        if each.window.end <= span.start or each.window.start >= span.end:
            continue
        for part in left:
            start, end = max(part.start, each.window.start), min(part.end, each.window.end)
            if start < end:
                expected += each.distinct_rows * ((end - start) / each.window.duration)
        left = [rest for part in left for rest in subtract(part, [each.window])]
    return expected


def _density(proven: Iterable[ProvenWindow]) -> float | None:
    """Give the rows a second over all that is proven, or None if nothing is."""
    windows = list(proven)
    seconds = sum(each.window.duration.total_seconds() for each in windows)
    return sum(each.distinct_rows for each in windows) / seconds if seconds else None
