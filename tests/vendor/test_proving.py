"""What proves that all of a window came, and what does not: answers that fit each other by accident or by a fault."""

import json
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from progress_pipeline.vendor.ledger import Finish, Purpose
from progress_pipeline.vendor.measuring import descends
from progress_pipeline.vendor.windows import Window
from tests.vendor.conftest import NOON, MakeLedger
from tests.vendor.moving_list import BEGIN, MANY, SPAN, all_ids, at_call, listed
from tests.vendor.plain import Asked, PlainVendor, Rows, pull, row


def test_a_window_that_fits_in_an_answer_takes_one_call(make_ledger: MakeLedger) -> None:
    """Once `count` was seen to be the total."""
    vendor, ledger = PlainVendor(listed()), make_ledger()
    pull(ledger, vendor, SPAN, page_size=20)
    vendor.asked.clear()
    pulled = pull(ledger, vendor, SPAN, page_size=500)
    assert len(vendor.asked) == 1
    assert [one.proof for one in pulled.attempts] == [f"counted: one answer with all {MANY} that it announces"]


def _nothing_after_the_first_page(_vendor: PlainVendor, asked: Asked, page: Rows) -> Rows:
    return [] if asked["start"] else page


@pytest.mark.parametrize(
    ("trouble", "longest", "says"),
    [
        ({"unit": "ignored"}, timedelta(hours=5), "no way to page it is proved"),
        ({"bend": _nothing_after_the_first_page}, timedelta(hours=5), "5 distinct rows came of 1[23] announced"),
        ({"bend": _nothing_after_the_first_page, "has_count": False}, timedelta(hours=5), "."),
    ],
    ids=["no offset", "no second page", "no second page, no count"],
)
def test_what_cannot_be_proven_is_not_called_covered_and_says_why(
    make_ledger: MakeLedger, trouble: dict[str, Any], longest: timedelta, says: str
) -> None:
    """Twelve rows of one second, of which the vendor shows five: where the rest can be proven, only that is left."""
    crowd = [row(1000 + number, BEGIN + timedelta(days=4)) for number in range(12)]
    rows = [row(2 * number, BEGIN + number * timedelta(hours=6)) for number in range(40)]
    pulled = pull(make_ledger(daily_calls=1000), PlainVendor(rows + crowd, page_cap=5, **trouble), SPAN, page_size=20)
    (left,) = pulled.left
    assert left.start <= BEGIN + timedelta(days=4) < left.end
    assert left.duration <= longest
    assert any(re.search(says, one.reason or "") for one in pulled.attempts if not one.is_complete)


def _never_descending(vendor: PlainVendor, asked: Asked, page: Rows) -> Rows:
    """Ignore `order`, as `start` is ignored."""
    if asked["order"] == "DESC":
        vendor.asked.append(asked)
        return vendor.found(asked | {"order": "ASC"})[: len(page)]
    return page


def test_the_same_end_twice_is_no_proof(make_ledger: MakeLedger) -> None:
    """`start` and `order` are ignored, there is no count and a silent cap: no answer that the cap fills is believed."""
    vendor = PlainVendor(listed(), unit="ignored", has_count=False, page_cap=7, bend=_never_descending)
    pulled = pull(make_ledger(daily_calls=1000), vendor, SPAN, page_size=20)
    assert pulled.ids >= all_ids()
    assert pulled.left == ()


@pytest.mark.parametrize(
    ("names", "is_order"),
    [
        (["Öz", "Şen", "Zorn", "Weiß", "Stone", "Reed", "Ek", "İnal", "Ali", "清水"], True),
        (["Zorn", "Öz", "Weiß", "Stone", "Reed", "Reed"], False),
        (["Abel", "Berg", "Curie", "Doe", "Euler", "Öz"], False),
        (["Doe", "Doe"], False),
        (["Doe", "Abel"], True),
    ],
)
def test_an_alphabet_of_the_vendors_own_does_not_hide_that_names_descend(names: list[str], is_order: bool) -> None:
    """Five plain first letters that descend are no accident, wherever others stand; four are too few."""
    assert descends([name.casefold() for name in names]) is is_order


def test_one_short_answer_does_not_make_a_capped_page_the_whole_list(make_ledger: MakeLedger) -> None:
    """Nine rows of more came, by a silent cap; the answer that measures them is cut to a row, which fits by chance."""
    bend = at_call(2, lambda _vendor, _asked, page: page[:1])
    vendor = PlainVendor(listed(14), sorts=("lastName",), has_count=False, page_cap=9, bend=bend)
    pulled = pull(make_ledger(), vendor, SPAN, page_size=200)
    assert pulled.ids == all_ids(14)
    assert pulled.left == ()


@pytest.mark.parametrize("call", [6, 7, 8])
def test_two_short_answers_that_fit_make_no_proof_where_calls_failed_of_late(
    make_ledger: MakeLedger, call: int
) -> None:
    """The last page of a list is cut short, and so is the answer that measures it; a third must agree."""

    def _cut(vendor: PlainVendor, _asked: Asked, page: Rows) -> Rows:
        return page[:1] if len(vendor.asked) in {call, call + 1} else page

    ledger = make_ledger()
    ledger.finish(ledger.reserve(Purpose.DAILY, None, {}), Finish("failed"))
    vendor = PlainVendor(listed(8), sorts=("lastName",), has_count=False, bend=_cut)
    pulled = pull(ledger, vendor, SPAN, page_size=3)
    assert pulled.ids == all_ids(8)
    assert pulled.left == ()


def test_one_row_is_not_taken_for_all_by_a_page_that_is_beyond_the_list(make_ledger: MakeLedger) -> None:
    """The first answer is cut to one of three rows; where `start` may count pages, nothing on page 1 proves nothing."""
    rows = [row(number, BEGIN + number * timedelta(hours=1)) for number in range(3)]
    bend = at_call(1, lambda _vendor, _asked, page: page[:1])
    vendor = PlainVendor(rows, unit="pages", has_count=False, bend=bend)
    pulled = pull(make_ledger(), vendor, SPAN, page_size=3)
    assert pulled.ids == {"0", "1", "2"}
    assert pulled.left == ()


class CountsAll(PlainVendor):
    """A vendor whose `count` is that of all records there are, whatever window is asked for."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        told = json.loads(super().handle_request(request).read())
        return httpx.Response(200, json=told | {"count": len(self.rows)})


def test_a_count_of_all_records_there_are_keeps_no_window_from_being_proven(make_ledger: MakeLedger) -> None:
    """Over all time it is the total; a day holds fewer, twice, than were given before, so it announces nothing."""
    day = timedelta(days=1)
    rows = [row(number, NOON - 60 * day + number * day / 2) for number in range(100)]
    vendor, ledger = CountsAll(rows, page_cap=40), make_ledger()
    for begin, end, numbers in ((90, 5, range(100)), (30, 29, range(60, 62)), (20, 19, range(80, 82)), (4, 3, ())):
        pulled = pull(ledger, vendor, Window(NOON - begin * day, NOON - end * day), page_size=100)
        assert pulled.left == ()
        assert {str(number) for number in numbers} <= pulled.ids
    assert pulled.answers.get("count_is") == "unsure"
    assert pulled.answers.page_cap == 40
