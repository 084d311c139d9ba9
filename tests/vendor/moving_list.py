"""A list of some pages over ten days, and how a page of it is bent at one call alone."""

from datetime import timedelta

from progress_pipeline.vendor.windows import Window
from tests.vendor.conftest import NOON
from tests.vendor.plain import Bend, Rows, row

BEGIN = NOON - timedelta(days=40, minutes=7, seconds=11)
SPAN = Window(BEGIN, BEGIN + timedelta(days=10))
MANY = 120
NAMES = ["Abel", "Berg", "Curie", "Doe", "Euler"]


def listed(number: int = MANY) -> Rows:
    """Give rows that begin evenly over the span, under five names in turn."""
    step = SPAN.duration / number
    return [row(2 * one, BEGIN + one * step, NAMES[one % 5]) for one in range(number)]


def all_ids(number: int = MANY) -> set[str]:
    """Give the ids of all of them."""
    return {str(2 * one) for one in range(number)}


def at_call(call: int, change: Bend) -> Bend:
    """Bend the page of one call alone."""
    return lambda vendor, asked, page: change(vendor, asked, page) if len(vendor.asked) == call else page
