"""Every way in which a paged list can deceive: all rows come, each is proven, and what deceived is known by name."""

import random
from datetime import timedelta
from typing import Any

import pytest

from progress_pipeline.vendor.answers import Answers
from tests.vendor.conftest import MakeLedger
from tests.vendor.moving_list import BEGIN, MANY, NAMES, SPAN, all_ids, at_call, listed
from tests.vendor.plain import Asked, PlainVendor, RefusedError, Rows, pull, row


def _empty(_vendor: PlainVendor, _asked: Asked, _page: Rows) -> Rows:
    return []


def _short(_vendor: PlainVendor, _asked: Asked, page: Rows) -> Rows:
    return page[: len(page) // 2]


def _shuffled(vendor: PlainVendor, _asked: Asked, page: Rows) -> Rows:
    """Let rows of equal names stand in another order from the next call on."""
    random.Random(len(vendor.asked)).shuffle(vendor.rows)  # noqa: S311 - an order, not a secret
    return page


def _renamed(vendor: PlainVendor, _asked: Asked, page: Rows) -> Rows:
    """Give three learners another name after each call."""
    chance = random.Random(len(vendor.asked))  # noqa: S311 - the same
    for one in chance.sample(vendor.rows, 3):
        one["lastName"] = chance.choice(NAMES)
    return page


def _inserted(vendor: PlainVendor, _asked: Asked, page: Rows) -> Rows:
    """Let a row appear among the others after each of thirty calls, which moves the places of those behind it."""
    chance = random.Random(len(vendor.asked))  # noqa: S311 - the same
    if len(vendor.rows) < MANY + 30:
        late = row(2 * chance.randrange(MANY) + 1, SPAN.start + chance.random() * SPAN.duration, chance.choice(NAMES))
        vendor.rows += [late] if late not in vendor.rows else []
    return page


ALONE = {"sorts": ("lastName",)}
TROUBLES: dict[str, dict[str, Any]] = {
    "none": {},
    "no count": {"has_count": False},
    "no order": ALONE,
    "no count, no order": ALONE | {"has_count": False},
    "start ignored": {"unit": "ignored"},
    "start ignored, no count": {"unit": "ignored", "has_count": False},
    "start in pages": {"unit": "pages"},
    "start in pages, no count, no order": ALONE | {"unit": "pages", "has_count": False},
    "a cap": {"page_cap": 7},
    "a cap, no count": {"page_cap": 7, "has_count": False},
    "a cap, start in pages": {"page_cap": 7, "unit": "pages"},
    "an empty page": {"bend": at_call(5, _empty)},
    "an empty page, no count": {"bend": at_call(5, _empty), "has_count": False},
    "an empty page, no order": ALONE | {"bend": at_call(7, _empty)},
    "an empty first page": {"bend": at_call(1, _empty)},
    "an empty first page, no count": {"bend": at_call(1, _empty), "has_count": False},
    "a short page": {"bend": at_call(5, _short)},
    "a short page, no count": {"bend": at_call(5, _short), "has_count": False},
    "a short page, no order": ALONE | {"bend": at_call(7, _short)},
    "ties that move": ALONE | {"bend": _shuffled},
    "ties that move, no count": ALONE | {"bend": _shuffled, "has_count": False},
    "names that change": ALONE | {"bend": _renamed},
    "names that change, no count": ALONE | {"bend": _renamed, "has_count": False},
    "rows that come in": {"bend": _inserted},
    "rows that come in, no order, no count": ALONE | {"bend": _inserted, "has_count": False},
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=list(TROUBLES))
def test_all_rows_come_and_all_of_the_span_is_proven(make_ledger: MakeLedger, trouble: dict[str, Any]) -> None:
    """Whatever the list does, within the calls of a day, and with a proof in words for each part."""
    vendor = PlainVendor(listed(), **trouble)
    pulled = pull(make_ledger(daily_calls=200), vendor, SPAN, page_size=20)
    assert pulled.ids >= all_ids()
    assert pulled.left == ()
    assert all(one.proof for one in pulled.attempts if one.is_complete)


@pytest.mark.parametrize(
    ("trouble", "question", "answer", "calls"),
    [
        ({"unit": "ignored"}, "start_unit", "ignored", 3),
        ({"unit": "ignored", "sorts": ("lastName",), "has_count": False}, "start_unit", "ignored", 5),
        ({"unit": "pages"}, "start_unit", "pages", 5),
        ({}, "start_unit", "rows", 3),
        ({"page_cap": 7}, "page_cap", 7, 9),
        ({}, "order", "granted", 1),
        ({"sorts": ("lastName",)}, "order", "ignored", 2),
        ({}, "count_is", "total", 12),
    ],
)
def test_what_deceives_is_known_after_a_few_calls(
    make_ledger: MakeLedger, trouble: dict[str, Any], question: str, answer: Any, calls: int
) -> None:
    """An offset that is ignored shows in the second answer, and one far call settles it."""
    pulled = pull(make_ledger(), PlainVendor(listed(), **trouble), SPAN, page_size=20)
    (finding,) = [one for one in pulled.answers.findings() if one.question == question]
    assert finding.answer == answer
    assert finding.call_id is not None
    assert finding.call_id <= calls


@pytest.mark.parametrize("unit", ["rows", "pages"])
@pytest.mark.parametrize(("page_size", "number"), [(3, 8), (4, 17), (20, 21)])
@pytest.mark.parametrize("faulty", [None, 4, 5, 6])
def test_what_start_counts_is_not_mistaken(
    make_ledger: MakeLedger, unit: str, page_size: int, number: int, faulty: int | None
) -> None:
    """Not by small pages, of which a list has more than was seen of it, nor by an answer that is empty by a fault."""
    bend = None if faulty is None else at_call(faulty, _empty)
    vendor = PlainVendor(listed(number), has_count=False, unit=unit, sorts=("lastName",), bend=bend)
    pulled = pull(make_ledger(), vendor, SPAN, page_size=page_size)
    assert pulled.answers.start_unit in {unit, None}
    assert not pulled.answers.alerts()
    assert pulled.ids == all_ids(number)
    assert pulled.left == ()


def test_a_known_ignored_offset_is_not_used_again(make_ledger: MakeLedger) -> None:
    """The span is cut in time instead, on this day and all others."""
    vendor, ledger = PlainVendor(listed(), unit="ignored"), make_ledger()
    pull(ledger, vendor, SPAN, page_size=20)
    assert sum(asked["start"] > 0 for asked in vendor.asked) == 2
    vendor.asked.clear()
    assert pull(ledger, vendor, SPAN, page_size=20).left == ()
    assert {asked["start"] for asked in vendor.asked} == {0}


def test_pages_under_a_total_order_overlap_by_a_row(make_ledger: MakeLedger) -> None:
    """So that a shift shows: each page begins at the last row of the one before."""
    vendor, ledger = PlainVendor(listed()), make_ledger()
    for _ in range(2):
        vendor.asked.clear()
        pull(ledger, vendor, SPAN, page_size=20)
    assert [asked["start"] for asked in vendor.asked] == [19 * page for page in range(7)]


def test_a_row_that_moved_back_over_a_page_is_found(make_ledger: MakeLedger) -> None:
    """A row of the last page is gone and comes again among the first, where it was not when they were read."""

    def _jump(vendor: PlainVendor, asked: Asked, page: Rows) -> Rows:
        if asked["start"] > 0 and vendor.rows[-1]["lastName"] != "Aaron":
            vendor.rows[-1]["lastName"] = "Aaron"
        return page

    vendor = PlainVendor(listed(), sorts=("lastName",), bend=_jump)
    pulled = pull(make_ledger(), vendor, SPAN, page_size=20)
    assert pulled.ids == all_ids()
    assert pulled.left == ()


def test_more_is_asked_for_at_once_where_nothing_else_can_show_a_window_whole(make_ledger: MakeLedger) -> None:
    """The offset is ignored, and a second has more rows than a page: the vendor is asked for a larger page."""
    crowd = [row(1000 + number, BEGIN + timedelta(days=4)) for number in range(50)]
    for has_count in (True, False):
        vendor = PlainVendor(listed() + crowd, unit="ignored", has_count=has_count)
        pulled = pull(make_ledger(daily_calls=1000), vendor, SPAN, page_size=20)
        assert pulled.left == ()
        assert len(pulled.ids) == MANY + 50
        assert 80 in {asked["number"] for asked in vendor.asked}


def test_a_larger_page_is_asked_for_although_a_cap_is_believed_that_is_none(make_ledger: MakeLedger) -> None:
    """A cap above the page size says only that so much comes; more shows that it is none, and it is taken back."""
    crowd = [row(1000 + number, BEGIN + timedelta(days=4)) for number in range(50)]
    ledger = make_ledger(daily_calls=1000)
    Answers.load(ledger).learn("page_cap", 25, "two answers that were short by a fault")
    pulled = pull(ledger, PlainVendor(listed() + crowd, unit="ignored"), SPAN, page_size=20)
    assert pulled.left == ()
    assert pulled.answers.page_cap is None


@pytest.mark.parametrize("has_count", [True, False])
def test_a_second_is_paged_again_as_long_as_that_brings_new_rows(make_ledger: MakeLedger, has_count: bool) -> None:
    """Seventy rows of three names, in pages of nine that cannot overlap and in another order at each call."""
    crowd = [row(1000 + number, BEGIN + timedelta(days=4), NAMES[number % 3]) for number in range(70)]
    vendor = PlainVendor(
        listed(20) + crowd, sorts=("lastName",), unit="pages", page_cap=9, has_count=has_count, bend=_shuffled
    )
    pulled = pull(make_ledger(), vendor, SPAN, page_size=20)
    assert len(pulled.ids) == 90
    assert pulled.left == ()


def test_a_larger_page_that_the_vendor_refuses_is_not_insisted_on(make_ledger: MakeLedger) -> None:
    """The second with too many rows is left unproven, and what comes after it is asked for as before."""

    def _refuse(_vendor: PlainVendor, asked: Asked, page: Rows) -> Rows:
        if asked["number"] > 20:
            raise RefusedError
        return page

    crowd = [row(1000 + number, BEGIN + timedelta(days=4)) for number in range(50)]
    pulled = pull(
        make_ledger(daily_calls=1000), PlainVendor(listed() + crowd, unit="ignored", bend=_refuse), SPAN, page_size=20
    )
    assert [part.duration < timedelta(hours=5) for part in pulled.left] == [True]
    assert pulled.ids >= all_ids()
