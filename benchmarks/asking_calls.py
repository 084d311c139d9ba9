"""How many calls the daily pull takes, held against the bounds that are promised.

.venv/bin/python -m benchmarks.asking_calls
.venv/bin/python -m benchmarks.asking_calls --fill 100000 --page 1000

Vendors are sandboxes without a socket. A quiet day and days with n changed records are played on a kind vendor (a
`count`, an order by transactionId) once it is known; a first fill on the kind one, and on one without `count`, without
a total order and with a list that moves. `daily` are the calls that the bound is on; `all` counts those too that have a
reserve of their own: for asking again, which confirming belongs to, and for finding out how dates are read. `fits` says
whether the daily ones are within the bound and all is proven.
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import stamina

from progress_pipeline.sandbox.instants import to_us
from progress_pipeline.vendor.windows import Window, subtract
from tests.vendor.playing import Play

MANY = 10**9
FAR = timedelta(days=400)
HOSTILE: dict[str, Any] = {
    "count": "missing",
    "sorts": frozenset({"lastName"}),
    "ties": "shuffled",
    "renames_per_call": 1,
    "inserts_per_call": 1,
    "held_back_share": 0.005,
}
DAYS = 14


@dataclass(frozen=True)
class Line:
    """A line of the table."""

    what: str
    rows: int
    page: int
    calls: int
    all_calls: int
    bound: int
    is_right: bool

    def __str__(self) -> str:
        """Write it down."""
        fits = "yes" if self.is_right and self.calls <= self.bound else "NO"
        return (
            f"{self.what:<58} {self.rows:>8} {self.page:>6} {self.calls:>6} {self.all_calls:>6} {self.bound:>6}  {fits}"
        )


@contextmanager
def _play(page: int, **switches: Any) -> Iterator[Play]:
    with tempfile.TemporaryDirectory() as folder, stamina.set_testing(True, attempts=4, cap=True):
        calls = {"ledger_calls": MANY, "daily_calls": MANY}
        yield Play(Path(folder), page_size=page, **calls | switches)


def _is_right(play: Play) -> bool:
    """Say whether all up to now is proven, no claim is false and nothing is missing."""
    span = Window(play.sandbox.config.start_at, play.now)
    is_proven = not subtract(span, (one.window for one in play.proven))
    return is_proven and not play.wrong_claims


def days(page: int) -> Iterator[Line]:
    """Play days on which about so many records change; give the day on which most calls were over the least."""
    for a_day in (0, 1, page // 2, page - 5, 2 * page + page // 2, 7 * page):
        with _play(page, registrations=max(a_day * DAYS // 4, 20), days=DAYS) as play:
            play.sandbox.clock.move(timedelta(days=4 if a_day else FAR.days))
            play.run()
            at = np.asarray(play.sandbox._world.at)  # noqa: SLF001 - what happened, to count it
            lines = []
            for _ in range(DAYS - 5):
                play.sandbox.clock.move(timedelta(days=1))
                day = play.run()
                since, now = to_us(play.now - timedelta(days=1)), to_us(play.now)
                changed = int(((at > since) & (at <= now)).sum())
                is_right = not play.differing() and not play.wrong_claims
                what = f"a day, of about {a_day} changes" if a_day else "a quiet day"
                bound = ceil(changed / page) + 2 if changed else 1
                lines.append(Line(what, changed, page, day.count("daily"), len(day.calls), bound, is_right))
            yield max(lines[1:], key=lambda line: line.calls - line.bound)


def fills(number: int, page: int) -> Iterator[Line]:
    """Fill from nothing."""
    for what, dear, more, switches in (
        ("first fill, kind", 1.05, 5, {}),
        ("first fill, no count", 1.4, 20, {"count": "missing"}),
        ("first fill, names alone", 1.4, 20, {"sorts": HOSTILE["sorts"]}),
        ("first fill, no count, names alone, shuffled, moving", 1.4, 20, HOSTILE),
    ):
        with _play(page, registrations=number // 4, days=300, **switches) as play:
            play.sandbox.clock.move(FAR)
            listed = len(play.sandbox.truth.listed_transactions())
            day = play.run()
            bound = ceil(dear * listed / page) + more
            yield Line(what, listed, page, day.count("daily"), len(day.calls), bound, _is_right(play))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fill", type=int, default=20_000, help="records of a first fill, about")
    parser.add_argument("--page", type=int, default=200, help="records of a page")
    asked = parser.parse_args()
    print(f"{'what':<58} {'rows':>8} {'page':>6} {'daily':>6} {'all':>6} {'bound':>6}  fits")
    for line in (*days(100), *fills(asked.fill, asked.page)):
        print(line, flush=True)


if __name__ == "__main__":
    main()
