"""A list that takes more calls than a day grants is covered in some days; what no day suffices for is said.

The vendors here stand still, so whatever a run brings to an end stays so.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from progress_pipeline.clock import frozen_clock
from progress_pipeline.vendor.answers import Answers
from progress_pipeline.vendor.asking import WindowAttempt, carry_out
from progress_pipeline.vendor.client import VendorClient
from progress_pipeline.vendor.ledger import CallLedger, Purpose
from progress_pipeline.vendor.planning import Ask
from progress_pipeline.vendor.unfinished import PASSED_OVER_FOR, Unfinished
from progress_pipeline.vendor.windows import Window, subtract
from tests.vendor.conftest import NOON, MakeLedger, MakePlay
from tests.vendor.playing import Play

DAY = timedelta(days=1)
NAMES_ALONE = frozenset({"lastName"})
VENDORS: dict[str, dict[str, Any]] = {
    "count and order": {},
    "no order": {"sort_transaction_id": "ignored"},
    "names alone": {"sorts": NAMES_ALONE},
    "start counts pages": {"start_counts": "pages"},
    "by dateStarted, in place": {"filter_on": "started", "transactions": "in_place"},
    "a page is capped": {"page_cap": 7},
    "things that are no record": {"junk_rows": 5},
}


def _standing(play: Play) -> tuple[object, ...]:
    """Give what a run may leave better than it found it: what is proven, what is known, where the next begins."""
    with play.ledger() as ledger:
        known = {name: value for name, value in ledger.known().items() if name != "alerts"}
    left = subtract(Window(play.sandbox.config.start_at, play.now + 400 * DAY), (one.window for one in play.proven))
    return left, json.dumps(known, sort_keys=True)


@pytest.mark.parametrize("newest_first", [False, True], ids=["oldest first", "newest first"])
@pytest.mark.parametrize("switches", VENDORS.values(), ids=list(VENDORS))
def test_ten_calls_a_day_cover_a_list_that_takes_many_more(
    make_play: MakePlay, switches: dict[str, Any], newest_first: bool
) -> None:
    """Each run that uses up its calls leaves something better; after some days all is there, and no claim is false."""
    play = make_play(days=3, page_size=10, ledger_calls=10, newest_first=newest_first, **switches)
    play.sandbox.clock.move(timedelta(days=4))
    for _ in range(25):
        before = _standing(play)
        outcome = play.run().outcome
        assert outcome is not None
        if outcome.how == "done" and not play.differing():
            break
        assert _standing(play) != before
        play.sandbox.clock.move(timedelta(days=1, minutes=1))
    else:
        pytest.fail(f"not covered after 25 days: {outcome}")
    assert len(play.days) > 1, "the list was to take more than a day's calls"
    assert not play.wrong_claims
    assert play.most_calls_of_24_hours() <= 10


NO_COUNT: dict[str, Any] = {"count": "missing"}
FEW: dict[str, tuple[dict[str, Any], int, int]] = {
    "an order": (NO_COUNT, 24, 1),
    "names alone": (NO_COUNT | {"sorts": NAMES_ALONE}, 40, 1),
    "names alone, whole days": (NO_COUNT | {"sorts": NAMES_ALONE, "dates_cut_to": "day", "end_is": "inclusive"}, 40, 1),
    "names alone, whole days, few": (NO_COUNT | {"sorts": NAMES_ALONE, "dates_cut_to": "day"}, 30, 3),
    "names alone, whole days, fewer": (NO_COUNT | {"sorts": NAMES_ALONE, "dates_cut_to": "day"}, 24, 6),
    "names alone, another zone": (NO_COUNT | {"sorts": NAMES_ALONE, "dates_read_in": "America/Denver"}, 40, 1),
    "names alone, another zone, fewer": (NO_COUNT | {"sorts": NAMES_ALONE, "dates_read_in": "America/Denver"}, 24, 6),
}


@pytest.mark.parametrize(("switches", "calls", "runs"), FEW.values(), ids=list(FEW))
def test_few_calls_are_not_spent_on_windows_that_they_do_not_suffice_for(
    make_play: MakePlay, switches: dict[str, Any], calls: int, runs: int
) -> None:
    """Without a `count`, 116 rows in pages of ten: how long a list is is found out before it is paged."""
    play = make_play(days=3, page_size=10, ledger_calls=calls, **switches)
    play.sandbox.clock.move(timedelta(days=4))
    span = Window(play.sandbox.config.start_at, play.now)
    for _ in range(runs):
        play.run()
        play.sandbox.clock.move(timedelta(days=1, minutes=1))
    assert not subtract(span, (one.window for one in play.proven))
    assert not play.differing()
    assert not play.wrong_claims


class StillVendor(httpx.BaseTransport):
    """A vendor with rows at given instants, that filters on their start and sorts by transactionId.

    Args:
        starts: When each row was started.
    """

    def __init__(self, starts: list[datetime]) -> None:
        self._rows = list(enumerate(starts, start=1))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        asked = json.loads(request.read())
        start, end = (datetime.fromisoformat(asked[name]) for name in ("startDate", "endDate"))
        found = [row for row in self._rows if start <= row[1] < end and asked["search"] in f"reg-{row[0]}"]
        page = [
            {"transactionId": number, "registration": f"reg-{number}", "dateStarted": f"{at:%Y-%m-%dT%H:%M:%S}"}
            for number, at in found[asked["start"] : asked["start"] + asked["number"]]
        ]
        return httpx.Response(200, json={"count": len(found), "rows": page})


def test_an_instant_with_more_rows_than_a_day_brings_is_named_and_the_rest_is_covered(tmp_path: Path) -> None:
    """The reason says how many calls it takes, how many there are and which setting helps; it stops nothing else."""
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    crowd = begin + timedelta(days=5)
    rows = [begin + timedelta(hours=8 * number, minutes=7, seconds=11) for number in range(30)]
    span = Window(begin, begin + timedelta(days=10))
    vendor = StillVendor(sorted([*rows, *[crowd] * 200]))
    proven: list[Window] = []
    failed: list[WindowAttempt] = []
    for day in range(40):
        clock = frozen_clock(begin + timedelta(days=20 + day, minutes=day))
        with (
            CallLedger(tmp_path / "calls.sqlite", daily_calls=12, clock=clock) as ledger,
            VendorClient("http://127.0.0.1/", "token", ledger, clock=clock, transport=vendor) as client,
        ):
            asks = [Ask(Purpose.BACKFILL, gap) for gap in subtract(span, proven)]
            for batch in carry_out(client, asks, answers=Answers.load(ledger), page_size=10):
                proven += [Window(one.window_start, one.window_end) for one in batch.windows if one.is_complete]
                failed += [one for one in batch.windows if not one.is_complete]
    (left,) = subtract(span, proven)
    assert left.start <= crowd < left.end
    assert left.duration < timedelta(hours=5)
    assert failed[-1].reason is not None
    for words in ("calls", "a day grants", "PROGRESS_API_PAGE_SIZE", "PROGRESS_API_DAILY_CALLS"):
        assert words in failed[-1].reason


def test_a_stop_is_kept_for_its_purpose_and_forgotten_when_come_past(make_ledger: MakeLedger) -> None:
    """The next process finds it; another purpose does not."""
    Unfinished(make_ledger(), Purpose.DAILY).keep(NOON, DAY)
    again = Unfinished(make_ledger(), Purpose.DAILY)
    stop = again.at(NOON)
    assert stop is not None
    assert (stop.at_most, stop.why) == (DAY, None)
    assert Unfinished(make_ledger(), Purpose.BACKFILL).at(NOON) is None
    again.forget(NOON)
    assert Unfinished(make_ledger(), Purpose.DAILY).at(NOON) is None


@pytest.mark.parametrize(
    ("conditions", "later", "is_passed_over"),
    [((10, 5), timedelta(), True), ((20, 5), timedelta(), False), ((10, 5), PASSED_OVER_FOR, False)],
    ids=["the same", "another page size", "a week later"],
)
def test_what_no_day_sufficed_for_is_passed_over_until_something_changes(
    make_ledger: MakeLedger, conditions: tuple[int, int], later: timedelta, is_passed_over: bool
) -> None:
    """It is tried again after a week, or at once with another page size or grant."""
    Unfinished(make_ledger(), Purpose.DAILY, 10, 5).keep(NOON, DAY, "it takes 9 calls")
    stop = Unfinished(make_ledger(clock=lambda: NOON + later), Purpose.DAILY, *conditions).at(NOON)
    assert stop is not None
    assert (stop.why is not None) == is_passed_over
