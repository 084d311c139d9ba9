"""When what was asked before is asked again.

A record that is complete is done. One that is not may change without the change being shown by any new window: if the
vendor filters by the date of start, only the window of its start shows it. So the days on which open registrations
were started are asked again, at a rhythm that decays with their age:

    a day of age `a` is asked again after  max(1 day, pace · a / 8)

`pace` is 0 (every day) if the calls set aside for asking again allow that, else as small as they allow; how long a
change can so stay unseen is said in `staleness`. Days that lie close share a window as long as it fits in an answer. If
the filter is on the last change, a changed record comes with the next daily pull; if it is on the completion, nothing
that is open is ever shown. In each case all days are audited now and then, since what was found out about the vendor
may be wrong, and rows may appear late.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING, Self

from progress_pipeline.vendor.answers import Answers
from progress_pipeline.vendor.windows import Window

if TYPE_CHECKING:
    from progress_pipeline.vendor.density import Density
    from progress_pipeline.vendor.planning import StartedDay

DAY = timedelta(days=1)
DECAY = 8.0
"""A change on a record of age a may stay unseen for an eighth of a."""
FILL = 0.8
SPENT = 0.5
"""The part of the calls set aside that the rhythm is meant to take, so that days which fall due together find room."""
EARLY = 0.5
"""What is past this part of its time is asked again if calls are left over."""
AUDITED_EVERY, AUDIT_DECAY = timedelta(days=30), 2.0
AUDIT_SHARE = 0.1
"""The part of the calls set aside that audits may take."""
SLOWEST = 4096.0
MOST_PARTS = 96
"""A day is cut to quarters of an hour at most."""


@dataclass(frozen=True)
class Price:
    """What asking for a window takes.

    Attributes:
        page_size: Records asked for in one call.
        confirming: Calls that confirm what came.
        margin: How much wider than what is to be covered is asked, in all.
    """

    page_size: int
    confirming: int = 0
    margin: timedelta = timedelta()

    @classmethod
    def of(cls, answers: Answers, page_size: int) -> Self:
        """Give the price as far as the vendor is known."""
        slack = answers.slack
        return cls(page_size, 0 if answers.count_is_total else 1, slack.before + slack.after)

    def calls(self, window: Window, rows: float) -> float:
        """Give the calls of a window that holds so many rows."""
        asked = rows * (1 + self.margin / window.duration)
        return max(1.0, asked / (FILL * self.page_size)) + self.confirming

    def fits(self, rows: float) -> bool:
        """Say whether so many rows come with one answer."""
        return rows <= FILL * self.page_size


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
    days: Iterable["StartedDay | _Day"], density: "Density", *, now: datetime, price: Price, calls: float
) -> float:
    """Give the smallest pace whose daily calls stay within those set aside.

    Args:
        days: Registrations by day of start.
        density: What is known of the rows of a span.
        now: The present.
        price: What a window takes.
        calls: Calls set aside in a day.
    """
    groups = [(window, cost) for window, _, cost in _grouped(_open_days(days), density, price, calls)]
    ages = [(now - window.end, cost) for window, cost in groups]

    def load(pace: float) -> float:
        return sum(cost * (DAY / period(age, pace)) for age, cost in ages)

    low, high = 0.0, SLOWEST
    if load(low) <= SPENT * calls:
        return low
    while high - low > 0.01 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if load(middle) > SPENT * calls else (low, middle)
    return high


def due_windows(
    days: Iterable["StartedDay"], density: "Density", *, now: datetime, price: Price, calls: float
) -> list[Due]:
    """Give what is to be asked again today, the most overdue first, within the calls set aside."""
    opened = _open_days(days)
    pace = find_pace(opened, density, now=now, price=price, calls=calls)
    dues = []
    for window, rows, cost in _grouped(opened, density, price, calls):
        asked_at = density.asked_at(window)
        every = period(max(now - window.end, timedelta()), pace)
        if asked_at is None:
            dues.append(Due(window, rows, cost, now - DAY, float("inf")))
        else:
            dues.append(Due(window, rows, cost, asked_at + every, (now - asked_at) / every))
    return _afford(dues, calls)


def audit_windows(span: Window, density: "Density", *, now: datetime, price: Price, calls: float) -> list[Due]:
    """Give what of all that is covered is to be audited today, within a part of the calls set aside."""
    days = [
        _Day(Window(start, min(start + DAY, span.end)))
        for start in (span.start + number * DAY for number in range(-(-span.duration // DAY)))
    ]
    dues = []
    for window, rows, cost in _grouped(days, density, price, calls):
        asked_at = density.asked_at(window)
        if asked_at is not None:
            every = max(AUDITED_EVERY, (now - window.end) / AUDIT_DECAY)
            dues.append(Due(window, rows, cost, asked_at + every, (now - asked_at) / every))
    return [due for due in _afford(dues, max(1.0, AUDIT_SHARE * calls)) if due.ratio >= 1.0]


def _afford(dues: list[Due], calls: float) -> list[Due]:
    chosen = []
    for due in sorted(dues, key=lambda due: -due.ratio):
        if due.ratio < EARLY or due.calls > calls:
            continue
        calls -= due.calls
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


def day_window(day: date) -> Window:
    """Give the window of a UTC day."""
    start = datetime.combine(day, time(), UTC)
    return Window(start, start + DAY)


def _grouped(days: Iterable[_Day], density: "Density", price: Price, calls: float) -> list[tuple[Window, float, float]]:
    """Join days into windows that fit in an answer; give each with its rows and the calls that it takes."""
    groups: list[tuple[Window, float]] = []
    for day in sorted(days, key=lambda one: one.window.start):
        rows = max(density.rows(day.window), float(day.count))
        if groups:
            window, held = groups[-1]
            between = Window(window.end, day.window.start) if day.window.start > window.end else None
            together = held + rows + (density.rows(between) if between else 0.0)
            if price.fits(together):
                groups[-1] = (Window(window.start, day.window.end), together)
                continue
        groups += _parts(day.window, rows, price, calls)
    return [(window, rows, price.calls(window, rows)) for window, rows in groups]


def _parts(window: Window, rows: float, price: Price, calls: float) -> list[tuple[Window, float]]:
    """Cut a window that takes more calls than half of those set aside, since it would never be asked."""
    count = min(ceil(price.calls(window, rows) / max(calls / 2, 1.0)), MOST_PARTS)
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
