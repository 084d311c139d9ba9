"""Finding out, with a few calls, how this vendor answers the open questions (at most `PROBE_CALLS`).

The probe takes records that the vendor shows and asks for them again by windows and searches in which they must stand
under one answer to a question and must not under another. The part that a fill needs (which date, which zone, how
fine) it does by itself when it first has to cut a span. What the answers mean is the subject of `answers`.
"""

from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from progress_pipeline.errors import CallsUsedUpError, UnreadableAnswerError, VendorUnavailableError
from progress_pipeline.vendor.answers import COMPLETED, FARTHEST_ZONE, FILTER_DATES, STARTED, Answers, Finding
from progress_pipeline.vendor.asker import Asker
from progress_pipeline.vendor.client import Answer, VendorClient
from progress_pipeline.vendor.dates import seconds
from progress_pipeline.vendor.ledger import Purpose
from progress_pipeline.vendor.measuring import learn_cap, measure
from progress_pipeline.vendor.windows import Window

PROBE_CALLS = 12
"""The most calls that a probe spends."""
TRIED_AGAIN_AFTER = timedelta(days=7)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
CLOCK_CHANGE = 3600
APART = timedelta(days=3)
NOON = 12
WITNESSES = 2
MOST_FOR_DATES = 9
WINTER, SUMMER = frozenset({11, 12, 1, 2}), frozenset({5, 6, 7, 8})
WIDE = timedelta(days=3650)
SETTLED = timedelta(hours=1)
MARGIN = timedelta(minutes=1)

Probing = Generator[Answer, None, None]


@dataclass(frozen=True)
class Witness:
    """A record that is asked for again.

    Attributes:
        transaction_id: Its transaction.
        registration: What it is searched by.
        started_at: When it was started, if that is told.
        completed_at: When it was completed, if it was.
    """

    transaction_id: str
    registration: str
    started_at: datetime | None
    completed_at: datetime | None

    def dates(self) -> list[tuple[str, datetime]]:
        """Give the dates by which the filter may find it, the likelier first."""
        dates = [(COMPLETED, self.completed_at), (STARTED, self.started_at)]
        return [(name, at) for name, at in dates if at is not None]


def witnesses(answer: Answer) -> list[Witness]:
    """Give records of an answer that can be asked for again: completed long after their start, one a season first."""
    records = answer.page.records
    columns = zip(
        records["transaction_id"].to_pylist(),
        records["registration"].to_pylist(),
        seconds(records["date_started"]),
        seconds(records["date_completed"]),
        strict=True,
    )
    found = [
        Witness(transaction_id, registration.strip(), _instant(started), _instant(completed))
        for transaction_id, registration, started, completed in columns
        if registration and registration.strip()
    ]
    usable = [one for one in found if one.dates() and _is_settled(one, answer.observed_at)]
    usable.sort(key=lambda one: not _is_long(one))
    seasons = [next((one for one in usable if _month(one) in season), None) for season in (WINTER, SUMMER)]
    chosen = [one for one in seasons if one is not None]
    return chosen + [one for one in usable if one not in chosen]


def _instant(at: float) -> datetime | None:
    return datetime.fromtimestamp(at, UTC) if at == at else None  # noqa: PLR0124 - NaN differs from itself


def _is_settled(one: Witness, now: datetime) -> bool:
    return all(at < now - SETTLED for _, at in one.dates())


def _is_long(one: Witness) -> bool:
    return one.started_at is not None and one.completed_at is not None and one.completed_at - one.started_at > APART


def _month(one: Witness) -> int:
    return one.dates()[0][1].month


def learn_dates(asker: Asker, answer: Answer) -> Probing:
    """Learn which date the filter is on, its zone and its grain, unless that was tried lately."""
    answers, now = asker.answers, asker.client.clock()
    tried_at = answers.found_at("dates_tried")
    if tried_at is not None and now - tried_at < TRIED_AGAIN_AFTER:
        return
    answers.refine("dates_tried", now.isoformat(), "")
    try:
        yield from _learn_dates(asker, witnesses(answer)[:WITNESSES])
    except (CallsUsedUpError, VendorUnavailableError, UnreadableAnswerError):
        return


def _learn_dates(asker: Asker, chosen: list[Witness]) -> Generator[Answer, None, tuple[Witness, datetime] | None]:
    for one in chosen:
        for name, at in one.dates():
            answer, is_there = yield from _looks(asker, one, Window(at - SECOND, at + SECOND))
            if not is_there:
                continue
            _note_filter(asker.answers, one, name, answer)
            yield from _learn_grain(asker, one, at, timedelta())
            if asker.answers.get("grain") == "second":
                yield from _learn_zone(asker, one, at, name, chosen)
            return one, at
    for one in chosen[:1]:
        for name, at in one.dates():
            if (yield from _find_shift(asker, one, name, at)):
                return None
    return None


def _looks(asker: Asker, one: Witness, window: Window) -> Generator[Answer, None, tuple[Answer, bool]]:
    """Ask for a record within a window, and say whether it is there."""
    answer = yield from asker.ask(window, search=one.registration[:100], purpose=Purpose.PROBE)
    return answer, one.transaction_id in answer.page.records["transaction_id"].to_pylist()


def _note_filter(answers: Answers, one: Witness, name: str, answer: Answer) -> None:
    """A record that stands by one date, far from its other one, was not chosen by the other."""
    if _is_long(one):
        other = STARTED if name == COMPLETED else COMPLETED
        evidence = f"call {answer.call_id}: transaction {one.transaction_id} is found by its date {name} alone"
        answers.refine(f"not_{other}", ["probe"] * len(FILTER_DATES), evidence, answer.call_id)


def _learn_grain(asker: Asker, one: Witness, at: datetime, shift: timedelta) -> Probing:
    """A record that stands in another window of the same day was found by its day."""
    near = SECOND if not shift else HOUR
    beside = Window(at + 2 * near, at + 4 * HOUR) if at.hour < NOON else Window(at - 4 * HOUR, at - 2 * near)
    answer, is_there = yield from _looks(asker, one, Window(beside.start - shift, beside.end - shift))
    evidence = f"call {answer.call_id}: transaction {one.transaction_id} "
    if is_there:
        asker.answers.learn("grain", "day", evidence + "is found anywhere on its day", answer.call_id)
    else:
        asker.answers.learn("grain", "second", evidence + "is found at its time and not beside it", answer.call_id)


def _learn_zone(asker: Asker, one: Witness, at: datetime, name: str, chosen: list[Witness]) -> Probing:
    """Ranges are read in UTC, to the hour that clocks are changed by, or exactly where that shows in two seasons."""
    evidence = f"transaction {one.transaction_id} is found at {at:%Y-%m-%d %H:%M:%S} UTC"
    bounds = [-CLOCK_CHANGE, CLOCK_CHANGE]
    season = SUMMER if at.month in WINTER else WINTER if at.month in SUMMER else frozenset[int]()
    for other in chosen:
        date = dict(other.dates()).get(name)
        if date is not None and date.month in season:
            _, is_there = yield from _looks(asker, other, Window(date - SECOND, date + SECOND))
            if is_there:
                bounds = [0, 0]
                evidence += f", transaction {other.transaction_id} at {date:%Y-%m-%d %H:%M:%S} UTC"
    asker.answers.learn("zone", bounds, evidence)


def _find_shift(asker: Asker, one: Witness, name: str, at: datetime) -> Generator[Answer, None, bool]:
    """Find by halving how far from its date a record stands, as it does not in UTC; say whether it was found."""
    low, high = at - FARTHEST_ZONE - HOUR, at + FARTHEST_ZONE + HOUR
    answer, is_there = yield from _looks(asker, one, Window(low, high))
    if not is_there:
        return False
    while high - low > HOUR:
        middle = low + (high - low) / 2
        answer, is_there = yield from _looks(asker, one, Window(low, middle))
        low, high = (low, middle) if is_there else (middle, high)
    # Where both ends are read as days and neither is in, no hour of its day shows it, and nothing is learned.
    answer, is_there = yield from _looks(asker, one, Window(low - MARGIN, high + MARGIN))
    if not is_there:
        return False
    shift = at - (low + (high - low) / 2)
    yield from _learn_grain(asker, one, at, shift)
    if asker.answers.get("grain") == "second":
        _note_filter(asker.answers, one, name, answer)
        bounds = [(at - high).total_seconds() - CLOCK_CHANGE, (at - low).total_seconds() + CLOCK_CHANGE]
        evidence = f"call {answer.call_id}: transaction {one.transaction_id} stands {shift} before its date"
        asker.answers.learn("zone", [int(bound) for bound in bounds], evidence, answer.call_id)
    return True


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
    asker = Asker(client, answers, Purpose.PROBE, page_size, attempts=1)
    for _ in _probe(asker, now):
        pass
    return answers.findings()


def _probe(asker: Asker, now: datetime) -> Probing:
    answers = asker.answers
    wide = Window(now - WIDE, now + 2 * timedelta(days=1))
    first = yield from asker.ask(wide)
    page = first.page
    if page.size == 0:
        return
    yield from _learn_paging(asker, wide, first)
    answers.refine("dates_tried", now.isoformat(), "")
    chosen = witnesses(first)[:WITNESSES]
    found = (yield from _learn_dates(asker, chosen)) if len(asker.call_ids) <= PROBE_CALLS - MOST_FOR_DATES else None
    if found is not None and answers.get("grain") == "second":
        yield from _learn_ends(asker, *found)
    if chosen and len(asker.call_ids) < PROBE_CALLS:
        yield from _learn_transactions(asker, chosen[0], wide)
    if not answers.is_ordered and len(asker.call_ids) < PROBE_CALLS:
        again = yield from asker.ask(wide)
        same = again.page.records["transaction_id"].equals(page.records["transaction_id"])
        evidence = f"calls {first.call_id} and {again.call_id}, sorted by {answers.sort}"
        answers.refine("paging", "steady" if same else "moving", evidence)


def _learn_paging(asker: Asker, wide: Window, first: Answer) -> Probing:
    """Learn what `start` counts, what `count` means, and how much an answer holds."""
    ids = set(first.page.records["transaction_id"].to_pylist())
    yield from measure(asker, wide, ids, first.page.size - len(ids))
    if first.page.size < asker.page_size and (first.page.count or 0) > first.page.size:
        learn_cap(asker.answers, first)
    elif first.page.size == asker.page_size:
        more = yield from asker.ask(wide, number=10 * asker.page_size)
        if more.page.size == asker.page_size and (more.page.count or 0) > more.page.size:
            evidence = f"call {more.call_id}: {more.page.size} of {10 * asker.page_size} asked for"
            asker.answers.refine("page_cap", more.page.size, evidence, more.call_id)


def _learn_ends(asker: Asker, one: Witness, at: datetime) -> Probing:
    """Learn whether each end of a range is itself in."""
    for question, window in (("start_date", Window(at, at + SECOND)), ("end_date", Window(at - SECOND, at))):
        if len(asker.call_ids) < PROBE_CALLS:
            answer, is_there = yield from _looks(asker, one, window)
            evidence = f"call {answer.call_id}: transaction {one.transaction_id} at {at:%Y-%m-%d %H:%M:%S} UTC"
            asker.answers.refine(question, "inclusive" if is_there else "exclusive", evidence, answer.call_id)


def _learn_transactions(asker: Asker, one: Witness, wide: Window) -> Probing:
    """Learn whether each update has a transaction of its own, from a completed registration's transactions."""
    answer = yield from asker.ask(wide, search=one.registration[:100])
    registrations = answer.page.records["registration"].to_pylist()
    count = sum(1 for each in registrations if each and each.strip() == one.registration)
    if count:
        told = "an update each" if count > 1 else "updated in place, or only the newest is listed"
        evidence = f"call {answer.call_id}: registration {one.registration} has {count}"
        asker.answers.refine("transactions", told, evidence, answer.call_id)
