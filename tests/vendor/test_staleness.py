"""How long a change on an open record can stay unseen: what is promised, and that it is kept."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from progress_pipeline.clock import frozen_clock
from progress_pipeline.vendor.answers import Answers
from progress_pipeline.vendor.asking import carry_out
from progress_pipeline.vendor.client import VendorClient
from progress_pipeline.vendor.density import Density
from progress_pipeline.vendor.ledger import CallLedger
from progress_pipeline.vendor.planning import KnownState, ProvenWindow, StartedDay, plan_daily
from progress_pipeline.vendor.pricing import Price
from progress_pipeline.vendor.rechecks import due_windows, find_pace, period
from progress_pipeline.vendor.staleness import RUNS_EVERY, Staleness, keep_staleness, staleness, told
from progress_pipeline.vendor.windows import Window
from tests.vendor.conftest import NOON, MakeLedger
from tests.vendor.plain import Asked, PlainVendor, Rows, row

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("filter_dates", "pace", "at_90_days"),
    [
        ({"changed"}, 4.0, DAY),
        ({"started"}, 0.0, 2 * DAY),
        ({"started"}, 2.0, 90 * DAY / 4 + DAY),
        ({"started", "changed", "completed"}, 2.0, 90 * DAY / 4 + DAY),
        ({"completed", "changed"}, 2.0, DAY),
        ({"completed"}, 2.0, None),
        ({"started"}, None, None),
    ],
)
def test_the_bound_follows_from_the_filter_and_the_pace(
    filter_dates: set[str], pace: float | None, at_90_days: timedelta | None
) -> None:
    """A day where the last change is filtered on, a rhythm where the start may be, none where nothing open is shown."""
    assert Staleness(frozenset(filter_dates), pace).bound(90 * DAY) == at_90_days


def test_the_bound_is_computed_from_the_calls_set_aside_and_kept_for_status(make_ledger: MakeLedger) -> None:
    """A fifth of the day's calls; fewer calls, a longer time; every day where a tenth of them does; or no promise."""
    answers = Answers.load(make_ledger())
    state = KnownState(
        (ProvenWindow(Window(NOON - 400 * DAY, NOON), NOON, 80_000, "daily"),),
        started_days=tuple(StartedDay((NOON - ago * DAY).date(), 100, 200) for ago in range(1, 400)),
    )
    bounds = [
        staleness(state, answers, now=NOON, daily_calls=calls, page_size=100).bound(90 * DAY)
        for calls in (500_000, 500, 100, 4)
    ]
    assert None not in bounds[:3]
    assert bounds[0] == 2 * DAY
    assert bounds[0] < (bounds[1] or DAY) < (bounds[2] or DAY)
    assert bounds[3] is None
    keep_staleness(staleness(state, answers, now=NOON, daily_calls=500, page_size=100), answers)
    kept = Answers.load(make_ledger()).get("unseen_at_most")
    assert kept["90"] == round((bounds[1] or DAY) / DAY, 1)
    assert f"{kept['90']:g} d at 90 d" in told(kept, answers.filter_dates)
    alike = dict.fromkeys(kept, 1.0)
    assert told(alike, {"changed"}) == "a change on an open record is seen within 1 d, whatever its age"


def test_what_is_not_bounded_is_told_so() -> None:
    """Never a number that does not hold."""
    none = Staleness(frozenset({"completed"}), 1.0).by_age()
    assert told(none, {"completed"}) == "no bound: the vendor shows no record before it is complete"
    assert "do not suffice" in told(none, {"started"})


@pytest.mark.parametrize(
    ("calls", "page_size", "rows"),
    [(10.0, 20, 5), (20.0, 100, 60), (5.0, 1000, 300), (3.0, 50, 45)],
    ids=["three days a call", "a day a call", "two days a call", "few calls"],
)
def test_the_rhythm_keeps_the_promise(calls: float, page_size: int, rows: int) -> None:
    """Played for some months on open registrations of a hundred days: none waits longer than it is promised."""
    price, begin = Price(page_size), NOON - NOON.hour * timedelta(hours=1)
    days = [StartedDay((begin - ago * DAY).date(), rows, rows) for ago in range(1, 100)]
    span = Window(begin - 100 * DAY, begin)
    proven = [ProvenWindow(span, begin, rows * 100, "daily")]
    asked = {one.day: (begin, DAY) for one in days}
    for run in range(1, 70):
        now, density = begin + run * DAY, Density(proven)
        pace = find_pace(days, density, now=now, price=price, calls=calls)
        dues = due_windows(days, density, now=now, price=price, calls=calls)
        assert sum(due.calls for due in dues) <= calls
        proven += [ProvenWindow(due.window, now, round(due.rows), "recheck") for due in dues]
        for one in days:
            start = datetime(one.day.year, one.day.month, one.day.day, tzinfo=UTC)
            if any(due.window.start <= start and start + DAY <= due.window.end for due in dues):
                asked[one.day] = now, period(now - start, pace)
            last, promised = asked[one.day]
            if last > begin:
                assert now - last <= max(promised, period(now - start, pace)) + RUNS_EVERY, (one.day, now)


def test_days_share_what_they_are_asked_wider_by() -> None:
    """Where nothing is known of the zone, a day is asked for some days wide; so days are asked together."""
    now, density = NOON - NOON.hour * timedelta(hours=1), Density([])
    days = [StartedDay((now - ago * DAY).date(), 20, 20) for ago in range(1, 41)]
    pace = {
        wide: find_pace(days, density, now=now, price=Price(100, margin=wide * DAY), calls=50) for wide in (0, 3, 5)
    }
    assert pace[0] <= pace[3] <= pace[5] < 4
    dues = due_windows(days, density, now=now, price=Price(100, margin=3 * DAY), calls=50)
    assert min(due.window.duration for due in dues) >= 3 * DAY
    crowded = [StartedDay((now - DAY).date(), 9000, 9000)]
    for margin, parts in ((timedelta(), 5), (timedelta(hours=8), 3), (2 * DAY, 1)):
        cut = due_windows(crowded, density, now=now, price=Price(100, margin=margin), calls=50, left=1e9)
        assert len(cut) == parts


def test_what_takes_more_than_a_day_has_is_asked_when_it_is_the_most_overdue() -> None:
    """By itself, and not before it is due; else it would never be asked at all."""
    day, price = NOON - NOON.hour * timedelta(hours=1), Price(100, margin=2 * DAY)
    days = [StartedDay((day - ago * DAY).date(), count, count) for ago, count in ((30, 9000), (20, 60))]
    asked = [ProvenWindow(Window(day - 31 * DAY, day), day, 9060, "daily")]
    dues = due_windows(days, Density(asked), now=day + DAY, price=price, calls=50)
    assert 9000 not in [due.rows for due in dues]
    later = day + 400 * DAY
    asked.append(ProvenWindow(Window(day - 25 * DAY, later), later - DAY, 60, "recheck"))
    (due,) = due_windows(days, Density(asked), now=later, price=price, calls=50)
    assert (due.rows, due.calls > 50) == (9000, True)


class Days:
    """Runs, a day apart, on a vendor that filters on the start and shows open records of a hundred days.

    Args:
        folder: Where the ledger stands.
        vendor: The vendor.
        daily_calls: Calls of a day.
    """

    def __init__(self, folder: Path, vendor: PlainVendor, daily_calls: int) -> None:
        self.path, self.vendor, self.daily_calls = folder / "calls.sqlite", vendor, daily_calls
        self.now = NOON
        self.rows: dict[str, dict[str, Any]] = {}
        self.proven: list[ProvenWindow] = []

    def state(self) -> KnownState:
        """Give what is known."""
        days: dict[str, int] = {}
        for one in self.rows.values():
            days[one["date_started"][:10]] = days.get(one["date_started"][:10], 0) + 1
        started = tuple(StartedDay(datetime.fromisoformat(day).date(), count, count) for day, count in days.items())
        return KnownState(tuple(self.proven), started_days=started)

    def run(self) -> Staleness:
        """Run once; give what is promised then."""
        clock = frozen_clock(self.now)
        with (
            CallLedger(self.path, daily_calls=self.daily_calls, clock=clock) as ledger,
            VendorClient("http://127.0.0.1/", "token", ledger, clock=clock, transport=self.vendor) as client,
        ):
            answers, state = Answers.load(ledger), self.state()
            promise = staleness(state, answers, now=self.now, daily_calls=self.daily_calls, page_size=20)
            plan = plan_daily(
                state, start_at=NOON - 100 * DAY, now=self.now, lookback=2 * DAY, page_size=20, answers=answers
            )
            for batch in carry_out(client, plan, answers=answers, page_size=20):
                self.rows |= {one["transaction_id"]: one for one in batch.records.to_pylist()}
                for one in batch.windows:
                    if one.is_complete:
                        window = Window(one.window_start, one.window_end)
                        self.proven.append(ProvenWindow(window, one.attempted_at, one.distinct_rows, one.purpose))
        self.now += DAY + timedelta(minutes=1)
        return promise


def test_a_record_of_90_days_that_moves_from_40_to_60_is_seen_within_the_bound(tmp_path: Path) -> None:
    """On a vendor that filters on dateStarted, with fifty calls a day, ten of them set aside."""
    rows = [
        row(10 * ago + number, NOON - ago * DAY + number * timedelta(hours=4, minutes=7)) | {"progress": 40}
        for ago in range(100, 0, -1)
        for number in range(5)
    ]
    days = Days(tmp_path, PlainVendor(rows), daily_calls=50)
    for _ in range(6):
        promise = days.run()
    assert len(days.rows) == 500
    bound = promise.bound(96 * DAY)
    assert bound is not None
    assert 3 * DAY < bound < 60 * DAY
    changed = next(one for one in rows if one["transactionId"] == 902)
    changed["progress"] = 60
    runs = 0
    while days.rows["902"]["progress"] == "40":
        days.run()
        runs += 1
        assert runs * DAY <= bound


class ByCompletionElseStart(PlainVendor):
    """A vendor that filters on the completion, or on the start of what is not complete."""

    def found(self, asked: Asked) -> Rows:
        """Give all rows that are asked for, in order."""
        dated = [
            {**one, "dateStarted": one.get("dateCompleted") or one["dateStarted"], "row": one} for one in self.rows
        ]
        return [one["row"] for one in PlainVendor(dated, sorts=self.sorts).found(asked)]


def test_an_open_record_is_asked_again_by_its_start_though_complete_ones_are_found_by_their_completion(
    tmp_path: Path,
) -> None:
    """What rules the start out for complete records says nothing of open ones: 40 becomes 60 and is seen in time."""
    rows = [row(ago, NOON - ago * DAY) | {"progress": 40} for ago in range(100, 0, -1)]
    days = Days(tmp_path, ByCompletionElseStart(rows), daily_calls=50)
    for run in range(6):
        for one in rows[run:50:6]:
            one["dateCompleted"] = f"{days.now - timedelta(hours=3):%Y-%m-%dT%H:%M:%S}"
        promise = days.run()
    with CallLedger(days.path, daily_calls=50, clock=frozen_clock(days.now)) as ledger:
        assert "started" not in Answers.load(ledger).filter_dates
    bound = promise.bound(46 * DAY)
    assert bound is not None
    next(one for one in rows if one["transactionId"] == 40)["progress"] = 60
    runs = 0
    while days.rows["40"]["progress"] == "40":
        days.run()
        runs += 1
        assert runs * DAY <= bound
