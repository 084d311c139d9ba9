"""When what was asked before is asked again.

A record that is complete is done. One that is not may change without the change being shown by any new window: if the
vendor filters by the date of start, only the window of its start shows it. So the days on which open registrations
were started are asked again, at a rhythm that decays with their age:

    a day of age `a` is asked again after  max(1 day, pace · a / 8)

`pace` is 1, so that what a long history takes grows with its logarithm alone; less, down to 0 (every day), where that
takes a tenth of the calls set aside for asking again; more, where half of them do not suffice. How long a change can so
stay unseen is said in `staleness`. Days that lie close share a window as long as it fits in an answer. If the filter is
on the last change, a changed record comes with the next daily pull; if it is on the completion, nothing that is open is
ever shown. In each case all days are audited now and then, since what was found out about the vendor may be wrong, and
rows may appear late.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain, pairwise
from math import ceil
from typing import TYPE_CHECKING

from progress_pipeline.vendor.windows import Window

if TYPE_CHECKING:
    from progress_pipeline.vendor.density import Density
    from progress_pipeline.vendor.known import StartedDay
    from progress_pipeline.vendor.pricing import Price

DAY = timedelta(days=1)
DECAY = 8.0
"""A change on a record of age a may stay unseen for an eighth of a."""
SPENT = 0.5
"""The part of the calls set aside that the rhythm is meant to take, so that days which fall due together find room."""
CHEAP = 0.1
"""The part of the calls set aside that is worth a faster rhythm than the usual one."""
USUAL = 1.0
EARLY = 0.5
"""What is past this part of its time is asked before it is due, on days on which less is due than on others."""
SOON = timedelta(hours=2)
"""What is due so soon is due, since runs begin now a little earlier, now a little later."""
AUDITED_EVERY, AUDIT_DECAY = timedelta(days=30), 2.0
AUDIT_SHARE = 0.1
"""The part of the calls set aside that audits may take."""
SLOWEST = 4096.0
MOST_PARTS = 96
"""A day is cut to quarters of an hour at most."""


@dataclass(frozen=True)
class Due:
    """Days that share a window.

    Attributes:
        window: The window.
        rows: Rows that it is expected to hold.
        calls: Calls that it is expected to take.
        due_at: When it is to be asked again.
        ratio: How much of its time is past; 1 when it is due.
    """

    window: Window
    rows: float
    calls: float
    due_at: datetime
    ratio: float


def period(age: timedelta, pace: float) -> timedelta:
    """Give after what time the open registrations of an age are asked again."""
    return max(DAY, age * (pace / DECAY))


def find_pace(
    days: Iterable["StartedDay | _Day"], density: "Density", *, now: datetime, price: "Price", calls: float
) -> float:
    """Give the pace: the usual one, a greater one where the calls set aside demand it, a smaller one where it is cheap.

    Args:
        days: Registrations by day of start.
        density: What is known of the rows of a span.
        now: The present.
        price: What a window takes.
        calls: Calls set aside in a day.
    """
    return _pace(
        [(now - window.end, cost) for window, _, cost in _grouped(_open_days(days), density, price, calls)], calls
    )


def _pace(ages: list[tuple[timedelta, float]], calls: float) -> float:
    """Give the pace for windows of some ages, each with the calls that it takes."""
    if _load(ages, USUAL) > SPENT * calls:
        return _least(ages, SPENT * calls, USUAL, SLOWEST)
    return _least(ages, CHEAP * calls, 0.0, USUAL)


def _least(ages: list[tuple[timedelta, float]], calls: float, low: float, high: float) -> float:
    """Give the least pace between two whose daily calls are within some; the greater one if none is."""
    if _load(ages, low) <= calls:
        return low
    while high - low > 0.01 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if _load(ages, middle) > calls else (low, middle)
    return high


def _load(ages: list[tuple[timedelta, float]], pace: float) -> float:
    """Give the calls that a pace takes in a day."""
    return sum(cost * (DAY / period(age, pace)) for age, cost in ages)


def due_windows(  # noqa: PLR0913 - what is due follows from all of these, each by name
    days: Iterable["StartedDay"],
    density: "Density",
    *,
    now: datetime,
    price: "Price",
    calls: float,
    left: float | None = None,
) -> list[Due]:
    """Give what is to be asked again today, the most overdue first, within the calls set aside.

    Args:
        days: Registrations by day of start.
        density: What is known of the rows of a span, and of when it was asked.
        now: The present.
        price: What a window takes.
        calls: Calls set aside in a day.
        left: Calls of them that are left; all, where it is None.
    """
    groups = _grouped(_open_days(days), density, price, calls)
    ages = [(max(now - window.end, timedelta()), cost) for window, _, cost in groups]
    pace = _pace(ages, calls)
    dues = []
    for (window, rows, cost), (age, _) in zip(groups, ages, strict=True):
        asked_at, every = density.asked_at(window), period(age, pace)
        if asked_at is None:
            dues.append(Due(window, rows, cost, now - DAY, float("inf")))
        else:
            dues.append(Due(window, rows, cost, asked_at + every, (now - asked_at) / every))
    return _afford(dues, calls if left is None else left, now=now, usual=_load(ages, pace))


def audit_windows(  # noqa: PLR0913 - as due_windows
    spans: Iterable[Window], density: "Density", *, now: datetime, price: "Price", calls: float, left: float
) -> list[Due]:
    """Give what of all that is covered is to be audited today, within a part of the calls set aside."""
    dues = []
    for window, rows, cost in chain.from_iterable(_grouped(_days(span), density, price, calls) for span in spans):
        asked_at = density.asked_at(window)
        if asked_at is not None:
            every = max(AUDITED_EVERY, (now - window.end) / AUDIT_DECAY)
            dues.append(Due(window, rows, cost, asked_at + every, (now - asked_at) / every))
    return _afford(dues, min(left, max(1.0, AUDIT_SHARE * calls)), now=now, usual=0.0)


def _afford(dues: list[Due], calls: float, *, now: datetime, usual: float) -> list[Due]:
    """Choose what is due, as far as calls are left; and what is due before long, up to a usual day's calls.

    What takes more than there are is chosen if it is the most overdue; it takes several days then.
    """
    chosen, spent = list[Due](), 0.0
    for due in sorted(dues, key=lambda due: -due.ratio):
        is_due = due.due_at <= now + SOON
        is_affordable = spent + due.calls <= (calls if is_due else min(usual, calls))
        if (is_affordable and due.ratio >= EARLY) or (is_due and not chosen and calls >= 1):
            spent += due.calls
            chosen.append(due)
    return chosen


@dataclass(frozen=True)
class _Day:
    window: Window
    count: int = 0


def _open_days(days: Iterable["StartedDay | _Day"]) -> list[_Day]:
    return [
        one if isinstance(one, _Day) else _Day(day_window(one.day), one.total_count)
        for one in days
        if isinstance(one, _Day) or one.open_count
    ]


def _days(span: Window) -> list[_Day]:
    starts = (span.start + number * DAY for number in range(-(-span.duration // DAY)))
    return [_Day(Window(start, min(start + DAY, span.end))) for start in starts]


def day_window(day: date) -> Window:
    """Give the window of a UTC day."""
    start = datetime.combine(day, time(), UTC)
    return Window(start, start + DAY)


def _grouped(
    days: Iterable[_Day], density: "Density", price: "Price", calls: float
) -> list[tuple[Window, float, float]]:
    """Join days into windows that fit in an answer, or that are asked much wider than they are.

    Each is given with its rows and the calls that it takes.
    """
    groups: list[tuple[Window, float]] = []
    for day in sorted(days, key=lambda one: one.window.start):
        rows = max(density.rows(day.window), float(day.count))
        if groups:
            window, held = groups[-1]
            between = Window(window.end, day.window.start) if day.window.start > window.end else None
            together = held + rows + (density.rows(between) if between else 0.0)
            whole = Window(window.start, day.window.end)
            is_wide = window.duration < price.margin and price.calls(whole, together) <= calls / 2
            if price.fits(together) or is_wide:
                groups[-1] = (whole, together)
                continue
        groups += _parts(day.window, rows, price, calls)
    return [(window, rows, price.calls(window, rows)) for window, rows in groups]


def _parts(window: Window, rows: float, price: "Price", calls: float) -> list[tuple[Window, float]]:
    """Cut a window that takes more calls than half of those set aside, since it would never be asked.

    None is cut to less than it is asked wider by, since that saves nothing.
    """
    count = min(ceil(price.calls(window, rows) / max(calls / 2, 1.0)), MOST_PARTS)
    if price.margin:
        count = min(count, max(window.duration // price.margin, 1))
    length = window.duration / count
    return [
        (Window(window.start + number * length, window.start + (number + 1) * length), rows / count)
        for number in range(count)
    ]


def joined(dues: Iterable[Due]) -> list[tuple[Window, float]]:
    """Join windows that meet, each with the rows that it is expected to hold, ascending."""
    ordered = sorted(dues, key=lambda due: due.window.start)
    together: list[tuple[Window, float]] = [(due.window, due.rows) for due in ordered[:1]]
    for before, due in pairwise(ordered):
        window, rows = together[-1]
        if due.window.start <= before.window.end:
            together[-1] = (Window(window.start, max(window.end, due.window.end)), rows + due.rows)
        else:
            together.append((due.window, due.rows))
    return together
