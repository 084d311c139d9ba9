"""Every way in which a paged list can deceive: all rows come, each is proven, and what deceived is known by name."""

import random
import re
from datetime import timedelta
from typing import Any

import pytest

from progress_pipeline.vendor.answers import Answers
from progress_pipeline.vendor.ledger import Finish, Purpose
from progress_pipeline.vendor.measuring import descends
from progress_pipeline.vendor.windows import Window
from tests.vendor.conftest import NOON, MakeLedger
from tests.vendor.plain import Asked, Bend, PlainVendor, RefusedError, Rows, pull, row

BEGIN = NOON - timedelta(days=40, minutes=7, seconds=11)
SPAN = Window(BEGIN, BEGIN + timedelta(days=10))
MANY = 120
NAMES = ["Abel", "Berg", "Curie", "Doe", "Euler"]


def _rows(number: int = MANY) -> Rows:
    step = SPAN.duration / number
    return [row(2 * one, BEGIN + one * step, NAMES[one % 5]) for one in range(number)]


def _all(number: int = MANY) -> set[str]:
    return {str(2 * one) for one in range(number)}


def _at(call: int, change: Bend) -> Bend:
    """Bend the page of one call alone."""
    return lambda vendor, asked, page: change(vendor, asked, page) if len(vendor.asked) == call else page


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
    "an empty page": {"bend": _at(5, _empty)},
    "an empty page, no count": {"bend": _at(5, _empty), "has_count": False},
    "an empty page, no order": ALONE | {"bend": _at(7, _empty)},
    "an empty first page": {"bend": _at(1, _empty)},
    "an empty first page, no count": {"bend": _at(1, _empty), "has_count": False},
    "a short page": {"bend": _at(5, _short)},
    "a short page, no count": {"bend": _at(5, _short), "has_count": False},
    "a short page, no order": ALONE | {"bend": _at(7, _short)},
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
    vendor = PlainVendor(_rows(), **trouble)
    pulled = pull(make_ledger(daily_calls=200), vendor, SPAN, page_size=20)
    assert pulled.ids >= _all()
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
    pulled = pull(make_ledger(), PlainVendor(_rows(), **trouble), SPAN, page_size=20)
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
    bend = None if faulty is None else _at(faulty, _empty)
    vendor = PlainVendor(_rows(number), has_count=False, unit=unit, sorts=("lastName",), bend=bend)
    pulled = pull(make_ledger(), vendor, SPAN, page_size=page_size)
    assert pulled.answers.start_unit in {unit, None}
    assert not pulled.answers.alerts()
    assert pulled.ids == _all(number)
    assert pulled.left == ()


def test_a_known_ignored_offset_is_not_used_again(make_ledger: MakeLedger) -> None:
    """The span is cut in time instead, on this day and all others."""
    vendor, ledger = PlainVendor(_rows(), unit="ignored"), make_ledger()
    pull(ledger, vendor, SPAN, page_size=20)
    assert sum(asked["start"] > 0 for asked in vendor.asked) == 2
    vendor.asked.clear()
    assert pull(ledger, vendor, SPAN, page_size=20).left == ()
    assert {asked["start"] for asked in vendor.asked} == {0}


def test_pages_under_a_total_order_overlap_by_a_row(make_ledger: MakeLedger) -> None:
    """So that a shift shows: each page begins at the last row of the one before."""
    vendor, ledger = PlainVendor(_rows()), make_ledger()
    for _ in range(2):
        vendor.asked.clear()
        pull(ledger, vendor, SPAN, page_size=20)
    assert [asked["start"] for asked in vendor.asked] == [19 * page for page in range(7)]


def test_a_window_that_fits_in_an_answer_takes_one_call(make_ledger: MakeLedger) -> None:
    """Once `count` was seen to be the total."""
    vendor, ledger = PlainVendor(_rows()), make_ledger()
    pull(ledger, vendor, SPAN, page_size=20)
    vendor.asked.clear()
    pulled = pull(ledger, vendor, SPAN, page_size=500)
    assert len(vendor.asked) == 1
    assert [one.proof for one in pulled.attempts] == [f"counted: one answer with all {MANY} that it announces"]


def test_a_row_that_moved_back_over_a_page_is_found(make_ledger: MakeLedger) -> None:
    """A row of the last page is gone and comes again among the first, where it was not when they were read."""

    def _jump(vendor: PlainVendor, asked: Asked, page: Rows) -> Rows:
        if asked["start"] > 0 and vendor.rows[-1]["lastName"] != "Aaron":
            vendor.rows[-1]["lastName"] = "Aaron"
        return page

    vendor = PlainVendor(_rows(), sorts=("lastName",), bend=_jump)
    pulled = pull(make_ledger(), vendor, SPAN, page_size=20)
    assert pulled.ids == _all()
    assert pulled.left == ()


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
    vendor = PlainVendor(_rows(), unit="ignored", has_count=False, page_cap=7, bend=_never_descending)
    pulled = pull(make_ledger(daily_calls=1000), vendor, SPAN, page_size=20)
    assert pulled.ids >= _all()
    assert pulled.left == ()


def test_more_is_asked_for_at_once_where_nothing_else_can_show_a_window_whole(make_ledger: MakeLedger) -> None:
    """The offset is ignored, and a second has more rows than a page: the vendor is asked for a larger page."""
    crowd = [row(1000 + number, BEGIN + timedelta(days=4)) for number in range(50)]
    for has_count in (True, False):
        vendor = PlainVendor(_rows() + crowd, unit="ignored", has_count=has_count)
        pulled = pull(make_ledger(daily_calls=1000), vendor, SPAN, page_size=20)
        assert pulled.left == ()
        assert len(pulled.ids) == MANY + 50
        assert 80 in {asked["number"] for asked in vendor.asked}


def test_a_larger_page_is_asked_for_although_a_cap_is_believed_that_is_none(make_ledger: MakeLedger) -> None:
    """A cap above the page size says only that so much comes; more shows that it is none, and it is taken back."""
    crowd = [row(1000 + number, BEGIN + timedelta(days=4)) for number in range(50)]
    ledger = make_ledger(daily_calls=1000)
    Answers.load(ledger).learn("page_cap", 25, "two answers that were short by a fault")
    pulled = pull(ledger, PlainVendor(_rows() + crowd, unit="ignored"), SPAN, page_size=20)
    assert pulled.left == ()
    assert pulled.answers.page_cap is None


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
    bend = _at(2, lambda _vendor, _asked, page: page[:1])
    vendor = PlainVendor(_rows(14), sorts=("lastName",), has_count=False, page_cap=9, bend=bend)
    pulled = pull(make_ledger(), vendor, SPAN, page_size=200)
    assert pulled.ids == _all(14)
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
    vendor = PlainVendor(_rows(8), sorts=("lastName",), has_count=False, bend=_cut)
    pulled = pull(ledger, vendor, SPAN, page_size=3)
    assert pulled.ids == _all(8)
    assert pulled.left == ()


def test_one_row_is_not_taken_for_all_by_a_page_that_is_beyond_the_list(make_ledger: MakeLedger) -> None:
    """The first answer is cut to one of three rows; where `start` may count pages, nothing on page 1 proves nothing."""
    rows = [row(number, BEGIN + number * timedelta(hours=1)) for number in range(3)]
    bend = _at(1, lambda _vendor, _asked, page: page[:1])
    vendor = PlainVendor(rows, unit="pages", has_count=False, bend=bend)
    pulled = pull(make_ledger(), vendor, SPAN, page_size=3)
    assert pulled.ids == {"0", "1", "2"}
    assert pulled.left == ()


@pytest.mark.parametrize("has_count", [True, False])
def test_a_second_is_paged_again_as_long_as_that_brings_new_rows(make_ledger: MakeLedger, has_count: bool) -> None:
    """Seventy rows of three names, in pages of nine that cannot overlap and in another order at each call."""
    crowd = [row(1000 + number, BEGIN + timedelta(days=4), NAMES[number % 3]) for number in range(70)]
    vendor = PlainVendor(
        _rows(20) + crowd, sorts=("lastName",), unit="pages", page_cap=9, has_count=has_count, bend=_shuffled
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
        make_ledger(daily_calls=1000), PlainVendor(_rows() + crowd, unit="ignored", bend=_refuse), SPAN, page_size=20
    )
    assert [part.duration < timedelta(hours=5) for part in pulled.left] == [True]
    assert pulled.ids >= _all()
