"""What to ask today: from what is covered and what is open, in the order of what a missed call would cost.

First the coverage, from the first day to now, less what is proven; then what was asked before and may have changed.
How a window is asked, cut and proven is not decided here, nor is whether the calls suffice: the plan is in order, and
the next run continues where this one stops.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from progress_pipeline.vendor.answers import STARTED, Answers
from progress_pipeline.vendor.density import Attempted, Density
from progress_pipeline.vendor.known import KnownState, ProvenWindow, StartedDay, UnprovenWindow
from progress_pipeline.vendor.ledger import Purpose
from progress_pipeline.vendor.pricing import FILL, Price
from progress_pipeline.vendor.rechecks import SPENT, audit_windows, day_window, due_windows, joined
from progress_pipeline.vendor.windows import Window, join, subtract

__all__ = ["Ask", "KnownState", "ProvenWindow", "StartedDay", "UnprovenWindow", "plan_daily", "rows_expected"]

LONGEST_HOLE = timedelta(days=2)
HOLES = 10
RECENT_DAYS = (7, 2)
MINIMUM_LOOKBACK = timedelta(days=1)


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
        answers: What is known of this vendor, and the calls that are left.
        newest_first: Whether a long fill begins at its newest end.
    """
    if now <= start_at:
        return []
    gaps = list(subtract(Window(start_at, now), (proven.window for proven in state.proven)))
    planner = _Planner(state, now, page_size, answers)
    asks: list[Ask] = []
    if gaps and gaps[-1].end == now:
        asks = planner.frontier(gaps.pop(), start_at, lookback)
    old: list[Ask] = []
    holes: list[Ask] = []
    for gap in gaps:
        (holes if planner.is_hole(gap) else old).append(planner.fill(gap))
    old.sort(key=lambda ask: ask.window.start, reverse=newest_first)
    asks = [*asks, *old] if newest_first else [*old, *asks]
    daily = [ask for ask in asks if ask.purpose is Purpose.DAILY]
    look_back = [ask for ask in asks if ask.purpose is not Purpose.DAILY]
    return [*daily, *planner.asked_again([ask.window for ask in daily], look_back), *planner.again(holes)]


@dataclass(frozen=True)
class _Planner:
    """Turns spans into asks, with what is known of their rows."""

    state: KnownState
    now: datetime
    page_size: int
    answers: Answers

    def frontier(self, gap: Window, start_at: datetime, lookback: timedelta) -> list[Ask]:
        """Ask from the end of coverage to now, with the lookback in the same window if that fits in an answer."""
        density, fits = self.state.density, FILL * self.answers.fits(self.page_size)
        per_second = self._recent_density(gap.start)
        if gap.start <= start_at or per_second is None:
            return [Ask(Purpose.DAILY, gap, reason="not covered yet", expected_rows=self.state.density.average(gap))]
        back = max(start_at, gap.start - lookback)
        slack = self.answers.slack
        wide = Window(back - slack.before, gap.start)
        new = per_second * gap.duration.total_seconds()
        if not self.answers.count_is_total:
            # An empty answer proves nothing, so the window reaches back to some rows, if that fits in an answer.
            reach = back
            known_from = join(proven.window for proven in self.state.proven)[-1].start
            while reach > known_from and density.rows(Window(reach, gap.start)) < 1:
                reach = max(known_from, reach - max(lookback, MINIMUM_LOOKBACK))
            if density.rows(Window(reach - slack.before, gap.start)) + new <= fits:
                back, wide = reach, Window(reach - slack.before, gap.start)
        if density.rows(wide) + new <= fits:
            window = Window(back, self.now)
            return [Ask(Purpose.DAILY, window, reason="not covered yet, and a look back", expected_rows=None)]
        asks = [Ask(Purpose.DAILY, gap, reason="not covered yet", expected_rows=new)]
        if back < gap.start:
            asks += self._around(Window(back, gap.start), "a look back")
        return asks

    def _around(self, span: Window, reason: str) -> list[Ask]:
        """Ask a span again from where that is longest ago, and then its beginning, so that few calls come round."""
        tried: list[Attempted] = [*self.state.proven, *self.state.unproven]
        begin = Density(one for one in tried if one.window.end > span.start).longest_ago(span)
        parts = [span] if begin == span.start else [Window(begin, span.end), Window(span.start, begin)]
        rows = self.state.density.rows
        return [Ask(Purpose.RECHECK, part, reason=reason, expected_rows=rows(part)) for part in parts]

    def _recent_density(self, end: datetime) -> float | None:
        """Give the rows of a second just before the end of coverage, over the last days that are known."""
        for days in RECENT_DAYS:
            span = Window(end - timedelta(days=days), end)
            if self.state.density.asked_at(span) is not None:
                return self.state.density.rows(span) / span.duration.total_seconds()
        return self.state.density.rows_per_second

    def fill(self, gap: Window) -> Ask:
        """Ask for a gap of the past."""
        return Ask(Purpose.DAILY, gap, reason="not covered yet", expected_rows=self.state.density.average(gap))

    def is_hole(self, gap: Window) -> bool:
        """Say whether a gap is what attempts left behind that could not be proved."""
        slack = self.answers.slack
        is_short = gap.duration <= LONGEST_HOLE + slack.before + slack.after
        return is_short and not subtract(gap, (one.window for one in self.state.unproven))

    def again(self, holes: list[Ask]) -> list[Ask]:
        """Try again what could not be proved, some at a time, from the calls for asking again."""
        return [
            Ask(Purpose.RECHECK, hole.window, reason="could not be proved before", expected_rows=hole.expected_rows)
            for hole in holes[:HOLES]
        ]

    def asked_again(self, asked: list[Window], look_back: list[Ask]) -> list[Ask]:
        """Look back, and ask again what may have changed, within the calls that a day keeps for both.

        A look back that takes more than its part comes last, so that what is promised of open records is kept.

        Args:
            asked: What is asked today anyway.
            look_back: The look back.
        """
        left = float(self.answers.calls_left(Purpose.RECHECK))
        kept = float(self.answers.calls_kept(Purpose.RECHECK)) or left
        cost = sum(self._price.calls(ask.window, ask.expected_rows or 0.0) for ask in look_back)
        if cost <= SPENT * kept:
            asked = [*asked, *(ask.window for ask in look_back)]
            return [*look_back, *self._rechecks(asked, kept, min(left, kept) - cost)]
        return [*self._rechecks(asked, kept, min(left, kept)), *look_back]

    def _rechecks(self, asked: list[Window], kept: float, left: float) -> list[Ask]:
        """Ask again what may have changed, and audit, but what is asked anyway."""
        density, price = self.state.density, self._price
        covered = join(proven.window for proven in self.state.proven)
        if not covered:
            return []
        asks: list[Ask] = []
        if STARTED in self.answers.open_filter_dates:
            days = [one for one in self.state.started_days if self._is_for_again(day_window(one.day), covered, asked)]
            dues = due_windows(days, density, now=self.now, price=price, calls=kept, left=left)
            reason = "open registrations were started in it"
            for window, rows in joined(dues):
                calls = price.calls(window, rows)
                asks += (
                    self._around(window, reason) if calls > kept else [Ask(Purpose.RECHECK, window, "", reason, rows)]
                )
                left -= calls
        audits = audit_windows(covered, density, now=self.now, price=price, calls=kept, left=left)
        asked = [*asked, *(ask.window for ask in asks)]
        return asks + [
            Ask(Purpose.RECHECK, window, "", "audit", rows)
            for window, rows in joined(audits)
            if subtract(window, asked)
        ]

    @property
    def _price(self) -> Price:
        return Price.of(self.answers, self.page_size)

    @staticmethod
    def _is_for_again(day: Window, covered: tuple[Window, ...], asked: list[Window]) -> bool:
        """Say whether a day is past and not asked today anyway."""
        return day.end <= covered[-1].end and bool(subtract(day, asked))


def rows_expected(proven: Iterable[ProvenWindow], span: Window) -> float:
    """Give how many rows a span is expected to hold, by the newest windows that lie in it."""
    near = [one for one in proven if one.window.end > span.start and one.window.start < span.end]
    return Density(near).rows(span)
