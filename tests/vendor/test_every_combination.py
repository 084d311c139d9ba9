"""Whatever the vendor is and whatever goes wrong, the tables come to equal the truth and no claim is false.

Random vendors over the sandbox's switches, drift, faults and kills, played for days. `PROGRESS_TEST_EXAMPLES` sets
how many.
"""

import os
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.vendor.playing import Play

EXAMPLES = int(os.environ.get("PROGRESS_TEST_EXAMPLES", "12"))
DAYS = 10
SETTLING = 3
"""Days that are played after the list came to rest, and what is promised is held to after them."""
NAMES_ALONE = frozenset({"lastName"})

FAULTS = ("reset", "half_answer", "html", "wrong_content_type", "cut_json", "empty_page", "short_page", "503", "429")

VENDORS = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 1000),
        "registrations": st.sampled_from([1, 8, 40]),
        "days": st.just(DAYS),
        "page_size": st.sampled_from([3, 10, 25, 200]),
        "transactions": st.sampled_from(["per_update", "in_place"]),
        "listed": st.sampled_from(["all", "newest"]),
        "filter_on": st.sampled_from(["last_change", "started", "completed", "completed_or_started"]),
        "undated": st.sampled_from(["in", "out"]),
        "takes_future": st.booleans(),
        "longest_range_days": st.sampled_from([None, 8]),
        "most_records": st.sampled_from([None, 100]),
        "start_is": st.sampled_from(["inclusive", "exclusive"]),
        "end_is": st.sampled_from(["inclusive", "exclusive"]),
        "dates_read_in": st.sampled_from(["UTC", "America/Denver", "Pacific/Kiritimati"]),
        "dates_cut_to": st.sampled_from(["instant", "second", "day"]),
        "start_counts": st.sampled_from(["rows", "pages", "ignored"]),
        "page_cap": st.sampled_from([None, 9]),
        "sort_transaction_id": st.sampled_from(["accepted", "ignored", "error"]),
        "sorts": st.sampled_from([None, NAMES_ALONE]),
        "ties": st.sampled_from(["stable", "shuffled"]),
        "envelope": st.sampled_from(["rows", "array", "object"]),
        "count": st.sampled_from(["total", "page", "missing"]),
        "transaction_id_as": st.sampled_from(["number", "mixed"]),
        "times_as": st.sampled_from(["exact", "mixed"]),
        "absent_as": st.sampled_from(["empty", "mixed"]),
        "unknown_keys": st.booleans(),
        "junk_rows": st.sampled_from([0, 5]),
        "milliseconds": st.booleans(),
        "fault_share": st.sampled_from([0.0, 0.1]),
        "fault_kinds": st.just(FAULTS),
        "inserts_per_call": st.sampled_from([0, 1]),
        "renames_per_call": st.sampled_from([0, 1]),
        "newest_first": st.booleans(),
    }
)
HOURS = st.sampled_from(
    [timedelta(), timedelta(hours=5, minutes=7), timedelta(hours=13, seconds=11), timedelta(hours=23)]
)


def _is_within_reach(vendor: dict[str, Any], shown: int) -> bool:
    """Say whether all rows can be shown and proven by calls (docs/asking.md, "What no calls prove").

    They cannot where the offset is ignored and more rows are shown than the largest answer holds, if they may all come
    with the shortest window that can be asked: a day, where dates are cut to days; some days, where they are read
    elsewhere than in UTC, which ten days of records cannot show; and what has no date comes with every window.
    """
    if vendor["start_counts"] != "ignored" or vendor["page_cap"] is None or shown <= vendor["page_cap"]:
        return True
    is_undated = vendor["filter_on"] != "last_change" and vendor["undated"] == "in"
    return not (is_undated or vendor["dates_cut_to"] == "day" or vendor["dates_read_in"] != "UTC")


SUPERSEDED: dict[str, Any] = {
    "seed": 718,
    "registrations": 40,
    "days": DAYS,
    "page_size": 3,
    "transactions": "per_update",
    "listed": "newest",
    "end_is": "inclusive",
    "sorts": NAMES_ALONE,
    "junk_rows": 5,
    "page_cap": None,
    "ties": "stable",
    "count": "total",
    "envelope": "rows",
    "filter_on": "last_change",
    "undated": "in",
    "start_counts": "rows",
    "dates_cut_to": "instant",
    "dates_read_in": "UTC",
    "inserts_per_call": 1,
    "renames_per_call": 1,
}
"""A row that appears late makes an older one leave the list while it is paged: as many came as it has, but not all."""


@example(vendor=SUPERSEDED, kills=[], hour=timedelta())
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="PROGRESS_TEST_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(vendor=VENDORS, kills=st.lists(st.tuples(st.integers(0, DAYS), st.integers(1, 12)), max_size=3), hour=HOURS)
def test_tables_come_to_equal_the_truth_and_no_claim_is_false(
    vendor: dict[str, Any], kills: list[tuple[int, int]], hour: timedelta
) -> None:
    """Within as many days as is promised nothing that the API shows is missing, and no false claim was made.

    Where no calls prove all, what is missing lies where the attempts since say that it is not proven, and why.
    """
    with tempfile.TemporaryDirectory() as folder:
        # What appears late or is renamed has no date of change; a look back over all days is what covers it.
        is_moving = vendor["inserts_per_call"] or vendor["renames_per_call"]
        play = Play(Path(folder), **vendor, lookback_days=DAYS + 2 if is_moving else 2)
        play.sandbox.clock.move(hour)
        for day in range(DAYS + 2):
            for kill_day, kill_at in kills:
                if kill_day == day:
                    play.run(kill_at=kill_at)
            play.run()
            play.sandbox.clock.move(timedelta(days=1))
        play.sandbox.change(inserts_per_call=0, renames_per_call=0, fault_share=0.0)
        play.play(SETTLING)
        promised = play.promised_days()
        for _ in range(promised):
            if not play.differing():
                break
            play.play(1)
        assert not play.wrong_claims
        assert play.most_calls_of_24_hours() <= play.daily_calls
        assert not play.without_reason(days=SETTLING + promised)
        assert not play.differing() or not _is_within_reach(vendor, play.shown())
