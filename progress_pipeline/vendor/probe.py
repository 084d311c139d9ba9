"""Finding out, with a few calls, how this vendor answers the open questions (at most `PROBE_CALLS`).

The probe takes records that the vendor shows and asks for them again by windows and searches in which they must stand
under one answer to a question and must not under another. The part that a fill needs (which date, which zone, how
fine) it does by itself when it first has to cut a span. What the answers mean is the subject of `answers`.
"""

from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from progress_pipeline.errors import CallsUsedUpError, UnreadableAnswerError, VendorUnavailableError
from progress_pipeline.vendor.answers import (
    COMPLETED,
    CONTRADICTIONS,
    FARTHEST_ZONE,
    STARTED,
    WHOLE_DAY,
    Answers,
    Finding,
)
from progress_pipeline.vendor.asker import Asker
from progress_pipeline.vendor.client import Answer, VendorClient
from progress_pipeline.vendor.dates import seconds
from progress_pipeline.vendor.ledger import Purpose
from progress_pipeline.vendor.measuring import learn_cap, measure
from progress_pipeline.vendor.starting import find_unit
from progress_pipeline.vendor.tiles import Tile
from progress_pipeline.vendor.windows import Window

PROBE_CALLS = 12
"""The most calls that a probe spends."""
TRIED_AGAIN_AFTER = timedelta(days=7)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
CLOCK_CHANGE = HOUR
FARTHEST = FARTHEST_ZONE + WHOLE_DAY + 2 * HOUR
"""A record stands no farther from its date than this, whatever the zone and the grain."""
APART = 2 * FARTHEST + WHOLE_DAY
OTHER_TIME = timedelta(hours=4)
NOON = 12
QUARTER, EDGE = 900, 3
WITNESSES = 2
SEASON = timedelta(days=90)
"""After so long the other season may be there, in which a zone shows that is known to an hour."""
WINTER, SUMMER = frozenset({11, 12, 1, 2}), frozenset({5, 6, 7, 8})
WIDE = timedelta(days=3650)
SETTLED = timedelta(hours=1)

NO_PROGRESS = frozenset({"0", "0.0", None, ""})

Probing = Generator[Answer, None, None]


@dataclass(frozen=True)
class Witness:
    """A record that is asked for again.

    Attributes:
        transaction_id: Its transaction.
        registration: What it is searched by.
        started_at: When it was started, if that is told.
        completed_at: When it was completed, if it was.
        is_new: Whether it tells no progress, so that it may not have changed since its start.
    """

    transaction_id: str
    registration: str
    started_at: datetime | None
    completed_at: datetime | None
    is_new: bool

    @property
    def is_long(self) -> bool:
        """Whether its two dates are too far apart for one to be taken for the other."""
        return (
            self.started_at is not None
            and self.completed_at is not None
            and self.completed_at - self.started_at > APART
        )

    @property
    def is_plain(self) -> bool:
        """Whether its instants are away from each quarter of an hour, so that none is a midnight in any zone."""
        return all(EDGE <= at.timestamp() % QUARTER <= QUARTER - EDGE for at in self.dates().values())

    def dates(self) -> dict[str, datetime]:
        """Give the dates by which the filter may find it, the likelier first."""
        dates = {COMPLETED: self.completed_at, STARTED: self.started_at}
        return {name: at for name, at in dates.items() if at is not None}


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


def witnesses(answer: Answer) -> list[Witness]:
    """Give records of an answer that can be asked for again: completed long after their start, one a season first."""
    records = answer.page.records
    columns = zip(
        records["transaction_id"].to_pylist(),
        records["registration"].to_pylist(),
        _exactly(records["date_started"]),
        _exactly(records["date_completed"]),
        records["progress"].to_pylist(),
        strict=True,
    )
    found = [
        Witness(transaction_id, registration.strip(), started, completed, progress in NO_PROGRESS)
        for transaction_id, registration, started, completed, progress in columns
        if registration and registration.strip()
    ]
    usable = [one for one in found if one.dates() and _is_settled(one, answer.observed_at)]
    usable.sort(key=_rank)
    seasons = [next((one for one in usable if _month(one) in season), None) for season in (WINTER, SUMMER)]
    chosen = sorted((one for one in seasons if one is not None), key=_rank)
    return chosen + [one for one in usable if one not in chosen]


def _rank(one: Witness) -> tuple[bool, bool, bool]:
    """Rank those first whose dates tell most of the filter."""
    return not one.is_long, one.completed_at is None, not one.is_new


def _exactly(column: pa.ChunkedArray) -> list[datetime | None]:
    """Give each date with its fraction, where there is one to be read."""
    return [
        datetime.fromisoformat(text.strip()).replace(tzinfo=UTC) if at == at else None  # noqa: PLR0124 - NaN differs
        for text, at in zip(column.to_pylist(), seconds(column), strict=True)
    ]


def _is_settled(one: Witness, now: datetime) -> bool:
    return all(at < now - SETTLED for at in one.dates().values())


def _month(one: Witness) -> int:
    return next(iter(one.dates().values())).month


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

    def _find_date(self, one: Witness) -> Generator[Answer, None, list[str]]:
        """Give the date by which a record is found that is far from its other date; none where by neither."""
        for name, at in one.dates().items():
            look = yield from self.looks(one, Window(at - FARTHEST, at + FARTHEST))
            if look is not None and look.is_there:
                other = STARTED if name == COMPLETED else COMPLETED
                told = f"{look.told} is found by its date {name} alone"
                self.asker.answers.refine(f"not_{other}", ["probe"] * CONTRADICTIONS, told, look.call_id)
                return [name]
        return []

    def _learn_grain(self, one: Witness, at: datetime) -> Probing:
        """A record that is found in another window of the same day was found by its day."""
        beside = Window(at + 2 * SECOND, at + 4 * HOUR) if at.hour < NOON else Window(at - 4 * HOUR, at - 2 * SECOND)
        look = yield from self.looks(one, beside)
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
            later = yield from self.looks(one, beside)
            if look is not None and look.is_there and later is not None and not later.is_there:
                told = f"{look.told} and {one.transaction_id} stand {low} to {high} after their dates"
                self.asker.answers.learn("grain", "second", told, look.call_id)
                bounds = [int(bound / SECOND) for bound in (-high - CLOCK_CHANGE, -low + CLOCK_CHANGE)]
                self.asker.answers.learn("zone", bounds, told, look.call_id)


def probe(client: VendorClient, answers: Answers, *, now: datetime, page_size: int) -> list[Finding]:
    """Spend at most `PROBE_CALLS` calls on the open questions, and give all answers.

    Args:
        client: Asks the vendor.
        answers: What is known; what is found is added.
        now: The present.
        page_size: Records asked for in one call.

    Raises:
        VendorError: The vendor could not be asked.
        CallsUsedUpError: The day's calls do not suffice; what was found is kept.
    """
    for _ in probing(client, answers, now=now, page_size=page_size):
        pass
    return answers.findings()


def probing(client: VendorClient, answers: Answers, *, now: datetime, page_size: int) -> Probing:
    """Probe, and yield each answer, whose records are as good as any; as `probe`."""
    asker = Asker(client, answers, Purpose.PROBE, page_size, attempts=1)
    budget, wide = Budget(asker, PROBE_CALLS), Window(now - WIDE, now + 2 * WHOLE_DAY)
    first = yield from asker.ask(wide)
    if first.page.size == 0:
        return
    yield from _learn_paging(asker, wide, first)
    answers.refine("dates_tried", now.isoformat(), "")
    chosen = witnesses(first)
    dates = DateProbe(asker, chosen, budget)
    yield from dates.run()
    if dates.found is not None and answers.get("grain") == "second":
        yield from _learn_ends(dates, *dates.found)
    if chosen and not budget.is_spent:
        yield from _learn_transactions(asker, chosen[0], wide)
    if not answers.is_ordered and not budget.is_spent:
        again = client.ask(Purpose.PROBE, first.question, attempts=1)
        yield again
        same = again.page.records["transaction_id"].equals(first.page.records["transaction_id"])
        evidence = f"calls {first.call_id} and {again.call_id}, the same question"
        answers.refine("paging", "steady" if same else "moving", evidence)


def _learn_paging(asker: Asker, wide: Window, first: Answer) -> Probing:
    """Learn what `start` counts, what `count` means, and how much an answer holds."""
    page, answers = first.page, asker.answers
    ids = set(page.records["transaction_id"].to_pylist())
    if (page.count or 0) > page.size:
        yield from _ask_for_the_last(asker, wide, first)
    elif page.size >= asker.page_size:
        if answers.is_ordered:
            yield from find_unit(asker, Tile(wide, wide), first)
    else:
        yield from measure(asker, wide, ids, page.size - len(ids))
    if page.size < asker.page_size and (page.count or 0) > page.size:
        learn_cap(answers, first)
    elif page.size == asker.page_size:
        more = yield from asker.ask(wide, number=10 * asker.page_size)
        if more.page.size == asker.page_size and (more.page.count or 0) > more.page.size:
            evidence = f"call {more.call_id}: {more.page.size} of {10 * asker.page_size} asked for"
            answers.refine("page_cap", more.page.size, evidence, more.call_id)


def _ask_for_the_last(asker: Asker, wide: Window, first: Answer) -> Probing:
    """Ask from the last row on that `count` announces: if one comes, `start` counts rows, and `count` all of them."""
    count = first.page.count or 0
    last = yield from asker.ask(wide, start=count - 1)
    evidence = f"call {last.call_id}: from row {count - 1} of {count} announced on comes one"
    if last.page.size == 1:
        asker.answers.learn("start_unit", "rows", evidence, last.call_id)
        if asker.answers.get("count_is") is None:
            asker.answers.learn("count_is", "total", evidence, last.call_id)
    elif last.page.size == first.page.size:
        asker.answers.learn("start_unit", "ignored", f"call {last.call_id}: from row {count - 1} on comes a whole page")
    else:
        yield from find_unit(asker, Tile(wide, wide, expected=count), first)


def _learn_ends(dates: DateProbe, one: Witness, at: datetime) -> Probing:
    """Learn whether each end of a range is itself in; a vendor that hides fractions of a second hides that, too."""
    for question, window in (("start_date", Window(at, at + SECOND)), ("end_date", Window(at - SECOND, at))):
        look = yield from dates.looks(one, window)
        if look is not None:
            answer = "inclusive" if look.is_there else "exclusive"
            dates.asker.answers.refine(question, answer, f"{look.told}, its own instant as that end", look.call_id)


def _learn_transactions(asker: Asker, one: Witness, wide: Window) -> Probing:
    """Learn whether each update has a transaction of its own, from a completed registration's transactions."""
    answer = yield from asker.ask(wide, search=one.registration[:100])
    registrations = answer.page.records["registration"].to_pylist()
    count = sum(1 for each in registrations if each and each.strip() == one.registration)
    if count:
        told = "an update each" if count > 1 else "updated in place, or only the newest is listed"
        evidence = f"call {answer.call_id}: registration {one.registration} has {count}"
        asker.answers.refine("transactions", told, evidence, answer.call_id)
