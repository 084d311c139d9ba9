"""From what was asked to what may be called covered.

What the vendor takes a range for may be off by a zone, a day or a second, so the rows that an answer holds are those
of a range that begins and ends a little elsewhere. Within a chain of windows that meet, this cancels out: where one
ends late, the next begins late. At the two ends of the chain it does not, and so a chain proves less than was asked
by the slack at each end. Nor does it prove anything after the instant up to which the vendor showed what had happened.
"""

from datetime import datetime, timedelta

from progress_pipeline.vendor.answers import Slack
from progress_pipeline.vendor.windows import Window


class Claims:
    """What of a span is proven, as windows that were asked come in.

    Args:
        span: What is to be covered.
        slack: How far the range that the vendor takes may be off.
        latest: After which no range that is asked may end; None if any end is taken.

    Attributes:
        chain: The windows that meet, as one.
        last: What was claimed last, in any chain.
    """

    def __init__(self, span: Window, slack: Slack, latest: datetime | None = None) -> None:
        self.span = span
        end = span.end + slack.after
        self.asked = Window(span.start - slack.before, end if latest is None else min(end, latest))
        self._slack = slack
        self.chain: Window | None = None
        self._until = span.end
        self._claimed: Window | None = None
        self.last: Window | None = None

    def add(self, part: Window, until: datetime) -> Window | None:
        """Add a window that is proven, and give what is newly proven by it.

        Args:
            part: The window, a part of `asked`; it meets the one before at either end, or begins a new chain.
            until: Up to when the vendor showed what had happened, when it was asked.
        """
        chain = self.chain
        if chain is None or part.end < chain.start or part.start > chain.end:
            self.chain, self._claimed, self._until = part, None, until
        else:
            if part.end > chain.end:
                self._until = until
            self.chain = Window(min(part.start, chain.start), max(part.end, chain.end))
        return self._grow(self.chain or part)

    def _grow(self, chain: Window) -> Window | None:
        start = max(self.span.start, chain.start + self._slack.before)
        end = min(self.span.end, chain.end - self._slack.after, self._until)
        if start >= end:
            return None
        before, self._claimed = self._claimed, Window(start, end)
        if before is None:
            return self._claimed
        if start < before.start:
            return Window(start, before.start)
        return Window(before.end, end) if end > before.end else None

    def break_off(self) -> None:
        """Begin a new chain, since what follows does not meet the one before."""
        self.chain, self._claimed, self._until = None, None, self.span.end

    @property
    def is_proving(self) -> bool:
        """Whether the chain has proven anything."""
        return self._claimed is not None

    def edge(self, *, newest_first: bool) -> datetime:
        """Give the instant by which the part that is left is known: where it begins."""
        rest = self.rest(newest_first=newest_first)
        return self.span.end if rest is None else rest.start

    def rest(self, *, newest_first: bool) -> Window | None:
        """Give the part of the span beyond what is proven, seen from the end that it is covered from."""
        done = self._claimed
        if done is None:
            return self.span
        start, end = (self.span.start, done.start) if newest_first else (done.end, self.span.end)
        return Window(start, end) if start < end else None

    def within(self, part: Window) -> Window | None:
        """Give what of the span cannot be proven without a window that was asked: the slack on either side too."""
        start = max(part.start - self._slack.after, self.span.start)
        end = min(part.end + self._slack.before, self.span.end)
        return Window(start, end) if start < end else None

    @property
    def shortest(self) -> timedelta:
        """How long a chain of windows must be to prove anything."""
        return self._slack.before + self._slack.after
