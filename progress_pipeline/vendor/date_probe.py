"""Finding out which date the filter is on, in which zone a request's dates are read, and how fine, with a few calls.

Records that the vendor shows are asked for again by windows in which they must stand under one answer and must not
under another. A fill does this by itself when it first has to cut a span; what else is open is the subject of `probe`.
"""

from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from progress_pipeline.errors import CallsUsedUpError, UnreadableAnswerError, VendorUnavailableError
from progress_pipeline.vendor.answers import (
    BY_PROBE,
    COMPLETED,
    FARTHEST_ZONE,
    STARTED,
    WHOLE_DAY,
    Answers,
)
from progress_pipeline.vendor.asker import Asker
from progress_pipeline.vendor.exchange import Answer
from progress_pipeline.vendor.ledger import Purpose
from progress_pipeline.vendor.windows import Window
from progress_pipeline.vendor.witnesses import FARTHEST, SUMMER, WINTER, Witness, witnesses

PROBE_CALLS = 12
"""The most calls that a probe spends."""
TRIED_AGAIN_AFTER = timedelta(days=7)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
CLOCK_CHANGE = HOUR
OTHER_TIME = timedelta(hours=4)
ABSENT_ASKED = 2
"""So often a record is asked for until it is taken not to be there."""
NOON = 12
WITNESSES = 2
SEASON = timedelta(days=90)
"""After so long the other season may be there, in which a zone shows that is known to an hour."""

Probing = Generator[Answer, None, None]


@dataclass(frozen=True)
class Look:
    """Whether a record stood in a window.

    Attributes:
        call_id: The call that shows it.
        told: The call and the record in words.
        is_there: Whether it did.
    """

    call_id: int
    told: str
    is_there: bool


class Budget:
    """So many calls from now on, refused ones and tries included, by the ledger's own numbers.

    Args:
        asker: Whose calls they are.
        calls: How many.
    """

    def __init__(self, asker: Asker, calls: int) -> None:
        self._ledger = asker.client.ledger
        self._last = self._ledger.last_call_id() + calls

    @property
    def is_spent(self) -> bool:
        """Whether none is left."""
        return self._ledger.last_call_id() >= self._last


def wants_dates(answers: Answers, now: datetime) -> bool:
    """Say whether it is to be tried to learn more of how dates are read: not known, or known to an hour for long."""
    tried_at, grain, zone = answers.found_at("dates_tried"), answers.get("grain"), answers.get("zone")
    if tried_at is None or grain is None:
        return tried_at is None or now - tried_at >= TRIED_AGAIN_AFTER
    return grain == "second" and zone == [-3600, 3600] and now - tried_at >= SEASON


def learn_dates(asker: Asker, answer: Answer) -> Probing:
    """Learn which date the filter is on, its zone and its grain, unless that was tried lately."""
    answers, now = asker.answers, asker.client.clock()
    if not wants_dates(answers, now):
        return
    answers.refine("dates_tried", now.isoformat(), "")
    with suppress(CallsUsedUpError, VendorUnavailableError, UnreadableAnswerError):
        yield from DateProbe(asker, witnesses(answer), Budget(asker, PROBE_CALLS)).run()


@dataclass
class DateProbe:
    """Finds out which date the filter is on, in which zone a request's dates are read, and how fine.

    A record far from its other date, asked for by a window of some days about one, tells which date it is. If it is
    found within two seconds, dates are read in UTC. Else it is looked for by halving, which finds a zone; or a
    midnight, where dates are cut to days. The two are told apart by a record of another time of day, which a zone
    moves by as much and a midnight does not, and by a later window of the same day, in which a zone shows nothing.

    Attributes:
        asker: Asks.
        witnesses: Records to ask for, the best first.
        budget: The calls that it may make.
        found: The record and its instant, if it was found there by the second.
    """

    asker: Asker
    witnesses: list[Witness]
    budget: Budget
    found: tuple[Witness, datetime] | None = None

    def run(self) -> Probing:
        """Ask, as far as calls are left, and keep what is found."""
        plain = [one for one in self.witnesses if one.is_plain]
        for one in plain[:WITNESSES]:
            names = (yield from self._find_date(one)) if one.is_long else list(one.dates())
            for name in names:
                at = one.dates()[name]
                others = [(other, date) for other in plain if (date := other.dates().get(name)) is not None]
                look = yield from self.looks(one, Window(at - SECOND, at + SECOND))
                if look is not None and look.is_there:
                    self.found = one, at
                    yield from self._learn_grain(one, at)
                    if self.asker.answers.get("grain") == "second":
                        yield from self._learn_seasons(look, at, others)
                    return
                if look is not None and one.is_long:
                    yield from self._find_shift(one, at, others)
                    return

    def looks(self, one: Witness, window: Window) -> Generator[Answer, None, Look | None]:
        """Ask for a record within a window; None if no call is left."""
        if self.budget.is_spent:
            return None
        answer = yield from self.asker.ask(window, search=one.registration[:100], purpose=Purpose.PROBE)
        is_there = one.transaction_id in answer.page.records["transaction_id"].to_pylist()
        return Look(answer.call_id, f"call {answer.call_id}: transaction {one.transaction_id}", is_there)

    def misses(self, one: Witness, window: Window) -> Generator[Answer, None, Look | None]:
        """Ask for a record within a window where its absence decides; an empty answer alone proves nothing."""
        for _ in range(ABSENT_ASKED):
            look = yield from self.looks(one, window)
            if look is None or look.is_there:
                break
        return look

    def _find_date(self, one: Witness) -> Generator[Answer, None, list[str]]:
        """Give the date by which a record is found that is far from its other date; none where by neither."""
        for name, at in one.dates().items():
            look = yield from self.looks(one, Window(at - FARTHEST, at + FARTHEST))
            if look is not None and look.is_there:
                other = STARTED if name == COMPLETED else COMPLETED
                told = f"{look.told} is found by its date {name} alone"
                self.asker.answers.refine(f"not_{other}", BY_PROBE, told, look.call_id)
                return [name]
        return []

    def _learn_grain(self, one: Witness, at: datetime) -> Probing:
        """A record that is found in another window of the same day was found by its day."""
        beside = Window(at + 2 * SECOND, at + 4 * HOUR) if at.hour < NOON else Window(at - 4 * HOUR, at - 2 * SECOND)
        look = yield from self.misses(one, beside)
        if look is not None:
            grain, found = ("day", "anywhere on its day") if look.is_there else ("second", "at its time alone")
            self.asker.answers.learn("grain", grain, f"{look.told} is found {found}", look.call_id)

    def _learn_seasons(self, look: Look, at: datetime, others: list[tuple[Witness, datetime]]) -> Probing:
        """Dates are read in UTC, to the hour that clocks are changed by, or exactly where that shows in two seasons."""
        bounds, told = [-CLOCK_CHANGE, CLOCK_CHANGE], f"{look.told} is found at {at:%Y-%m-%d %H:%M:%S} UTC"
        season = SUMMER if at.month in WINTER else WINTER if at.month in SUMMER else frozenset[int]()
        for other, date in [one for one in others if one[1].month in season][:1]:
            again = yield from self.looks(other, Window(date - SECOND, date + SECOND))
            if again is not None and again.is_there:
                bounds, told = [timedelta(), timedelta()], f"{told}; {again.told} at {date:%Y-%m-%d %H:%M:%S} UTC"
        zone = [int(bound / SECOND) for bound in bounds]
        is_finer = self.asker.answers.get("zone") is not None and zone == [0, 0]
        (self.asker.answers.refine if is_finer else self.asker.answers.learn)("zone", zone, told, look.call_id)

    def _find_shift(self, one: Witness, at: datetime, others: list[tuple[Witness, datetime]]) -> Probing:
        """Find by halving how far from its date a record stands, and hold that against one of another time of day."""
        low, high = -FARTHEST_ZONE, FARTHEST_ZONE
        while high - low > 2 * HOUR:
            middle = (low + high) / 2
            look = yield from self.looks(one, Window(at - FARTHEST, at + middle))
            if look is None:
                return
            low, high = (low, middle) if look.is_there else (middle, high)
        far = [
            (other, date) for other, date in others if OTHER_TIME <= (date - at) % WHOLE_DAY <= WHOLE_DAY - OTHER_TIME
        ]
        for other, date in far[:1]:
            beside = Window(at + high + 2 * HOUR, at + high + 6 * HOUR)
            look = yield from self.looks(other, Window(date + low - CLOCK_CHANGE, date + high + CLOCK_CHANGE))
            later = yield from self.misses(one, beside)
            if look is not None and look.is_there and later is not None and not later.is_there:
                told = f"{look.told} and {one.transaction_id} stand {low} to {high} after their dates"
                self.asker.answers.learn("grain", "second", told, look.call_id)
                bounds = [int(bound / SECOND) for bound in (-high - CLOCK_CHANGE, -low + CLOCK_CHANGE)]
                self.asker.answers.learn("zone", bounds, told, look.call_id)
