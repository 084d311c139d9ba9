"""What asking for a window takes, as far as the vendor is known."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from progress_pipeline.vendor.answers import Answers
from progress_pipeline.vendor.windows import Window

FILL = 0.8
"""The part of a page that a window is meant to fill, so that it fits when there is more than expected."""


@dataclass(frozen=True)
class Price:
    """What asking for a window takes.

    Attributes:
        page_size: Records that an answer holds: those asked for, or fewer where the vendor was found to give fewer.
        confirming: Calls that confirm what came.
        margin: How much wider than what is to be covered is asked, in all.
        for_each: Calls that each answer takes.
    """

    page_size: int
    confirming: int = 0
    margin: timedelta = timedelta()
    for_each: int = 1

    @classmethod
    def of(cls, answers: Answers, page_size: int) -> Self:
        """Give the price as far as the vendor is known."""
        slack, is_total = answers.slack, answers.count_is_total
        is_doubled = answers.start_unit == "ignored" and not is_total
        return cls(answers.fits(page_size), 0 if is_total else 1, slack.before + slack.after, 2 if is_doubled else 1)

    def calls(self, window: Window, rows: float) -> float:
        """Give the calls of a window that holds so many rows."""
        asked = rows * (1 + self.margin / window.duration)
        return max(1.0, asked / (FILL * self.page_size)) * self.for_each + self.confirming

    def fits(self, rows: float) -> bool:
        """Say whether so many rows come with one answer."""
        return rows <= FILL * self.page_size
