"""What to ask the API again so that open gaps close: the fewest calls, the most valuable first. Nothing here asks.

A gap can be closed in two ways. A window over the date that the vendor filters by brings it along with its neighbours,
so near gaps share one. A search for its registration over the whole span brings it alone, with all other gaps of that
registration, and works whatever the filter is. When a gap that stays open is tried again is decided in `audit.gaps`;
how a window is asked and proven, in `vendor`.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import groupby
from math import ceil
from typing import Literal, TypeAlias

from progress_pipeline.reconcile.gaps import OpenGap, RepairAsk, RepairPlan
from progress_pipeline.reconcile.weighing import Cost, Point, span_of, weigh
from progress_pipeline.vendor.pricing import FILL
from progress_pipeline.vendor.windows import Window

__all__ = ["FilterOn", "OpenGap", "RepairAsk", "RepairPlan", "Rows", "plan_repairs"]

FilterOn: TypeAlias = Literal["last_change", "started", "completed"]
"""The date that the vendor holds a request's range against."""

Rows: TypeAlias = Callable[[Window], float]
"""Gives the rows that asking a window will bring, with whatever is asked around it."""

EARLIER, LATER = timedelta(hours=1), timedelta(minutes=1)
"""How far around a gap's date its window reaches: a push may be told some time after the change."""

UNNAMED = "transaction:"
"""How a registration is called here that the vendor gave no name; no search finds it."""


def plan_repairs(  # noqa: PLR0913 - what a plan follows from, each by name
    gaps: Iterable[OpenGap],
    *,
    now: datetime,
    span: Window,
    calls: int,
    page_size: int,
    rows: Rows,
    filter_on: FilterOn | None,
) -> RepairPlan:
    """Plan the repair of gaps.

    Args:
        gaps: The open gaps that the API owes an answer to.
        now: The present.
        span: All that the vendor may be asked for; a search is made over it.
        calls: Calls that may be used.
        page_size: Records that an answer holds.
        rows: How much a window will bring.
        filter_on: What is known of the vendor's filter. Without it a gap is first asked for by when it was told, where
            that costs less than a search, and searched for from then on.
    """
    in_order = sorted(gaps, key=lambda gap: (gap.told_at, gap.gap_id))
    due = [gap for gap in in_order if gap.next_try_at is None or gap.next_try_at <= now]
    dates = {gap.gap_id: _date(gap, filter_on) for gap in due}
    points = [Point(_around(date, span), (gap,)) for gap in due if (date := dates[gap.gap_id]) is not None]
    undated = [gap for gap in due if dates[gap.gap_id] is None]
    cost = _cost(rows, page_size)
    anyway = frozenset(gap.registration_id for gap in undated)
    weighed = weigh(points, anyway, cost, prefer_search=filter_on is None)
    asks = _searches([*undated, *weighed.searched], span)
    searched = {gap_id for ask in asks for gap_id in ask.gap_ids}
    asks += [_window_ask(run, searched, cost) for run in weighed.windows]
    not_yet = tuple(gap.gap_id for gap in in_order if gap.gap_id not in dates)
    return _within(asks, {gap.gap_id: gap for gap in due}, calls, not_yet)


def _cost(rows: Rows, page_size: int) -> Cost:
    def cost(window: Window) -> int:
        pages = ceil(max(rows(window), 1.0) / (FILL * page_size))
        return 1 if pages == 1 else 2 * pages - 1  # a window that does not fit is asked, then cut in halves

    return cost


def _date(gap: OpenGap, filter_on: FilterOn | None) -> datetime | None:
    """Give the date that a window has to hold for the vendor to show the gap, or None if only a search will do."""
    dates = {"started": gap.started_at, "completed": gap.completed_at, "last_change": gap.told_at}
    if gap.registration_id.startswith(UNNAMED):
        return dates[filter_on or "last_change"] or gap.told_at
    if filter_on in {"started", "completed"}:
        return dates[filter_on]
    return None if gap.attempt_count else gap.told_at


def _around(date: datetime, span: Window) -> Window:
    start = max(span.start, min(date - EARLIER, span.end - LATER))
    return Window(start, max(min(date + LATER, span.end), start + LATER))


def _searches(gaps: Iterable[OpenGap], span: Window) -> list[RepairAsk]:
    in_order = sorted(gaps, key=lambda gap: (gap.registration_id, gap.told_at, gap.gap_id))
    asks = []
    for registration_id, group in groupby(in_order, key=lambda gap: gap.registration_id):
        ids = tuple(gap.gap_id for gap in group)
        asks.append(RepairAsk(span.start, span.end, registration_id, ids, 1, f"{_count(ids)} of one registration"))
    return asks


def _window_ask(run: tuple[Point, ...], searched: set[str], cost: Cost) -> RepairAsk:
    window = span_of(run)
    ids = tuple(gap.gap_id for point in run for gap in point.gaps if gap.gap_id not in searched)
    reason = _count(ids) if len(ids) == 1 else f"{_count(ids)} near each other"
    return RepairAsk(window.start, window.end, "", ids, cost(window), reason)


def _count(ids: tuple[str, ...]) -> str:
    return "1 gap" if len(ids) == 1 else f"{len(ids)} gaps"


def _within(asks: list[RepairAsk], gaps: dict[str, OpenGap], calls: int, not_yet: tuple[str, ...]) -> RepairPlan:
    """Take the most valuable asks that the calls suffice for: completions first, then what closes most for a call."""

    def value(ask: RepairAsk) -> tuple[float, float, datetime, str]:
        completions = sum(gaps[gap_id].update_kind == "completion" for gap_id in ask.gap_ids)
        oldest = min(gaps[gap_id].told_at for gap_id in ask.gap_ids)
        return (-completions / ask.calls, -len(ask.gap_ids) / ask.calls, oldest, ask.gap_ids[0])

    taken: list[RepairAsk] = []
    unaffordable: list[str] = []
    left = calls
    for ask in sorted(asks, key=value):
        if ask.calls <= left:
            taken.append(ask)
            left -= ask.calls
        else:
            unaffordable += ask.gap_ids
    return RepairPlan(tuple(taken), tuple(unaffordable), not_yet)
