"""From what was asked to what may be called covered.

What the vendor takes a range for may be off by a zone, a day or a second, so the rows that an answer holds are those
of a range that begins and ends a little elsewhere. Within a chain of windows that meet, this cancels out: where one
ends late, the next begins late. At the two ends of the chain it does not, and so a chain proves less than was asked
by the slack at each end. Nor does it prove anything after the instant up to which the vendor showed what had happened.
"""

from datetime import datetime

from progress_pipeline.vendor.answers import Slack
from progress_pipeline.vendor.windows import Window


class Claims:
    """What of a span is proven, as windows that were asked come in.

    Args:
        span: What is to be covered.
        slack: How far the range that the vendor takes may be off.
    """

    def __init__(self, span: Window, slack: Slack) -> None:
        self.span = span
        self.asked = Window(span.start - slack.before, span.end + slack.after)
        self._slack = slack
        self._chain: Window | None = None
        self._until = span.end
        self._claimed: Window | None = None

    def add(self, part: Window, until: datetime) -> Window | None:
        """Add a window that is proven, and give what is newly proven by it.

        Args:
            part: The window, a part of `asked`; it meets the one before at either end, or begins a new chain.
            until: Up to when the vendor showed what had happened, when it was asked.
        """
        chain = self._chain
        if chain is None or part.end < chain.start or part.start > chain.end:
            self._chain, self._claimed, self._until = part, None, until
        else:
            if part.end > chain.end:
                self._until = until
            self._chain = Window(min(part.start, chain.start), max(part.end, chain.end))
        return self._grow(self._chain or part)

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

    @property
    def is_untouched(self) -> bool:
        """Whether nothing was added yet."""
        return self._chain is None

    def rest(self, *, newest_first: bool) -> Window | None:
        """Give the part of the span beyond what is proven, seen from the end that it is covered from."""
        done = self._claimed
        if done is None:
            return self.span
        start, end = (self.span.start, done.start) if newest_first else (done.end, self.span.end)
        return Window(start, end) if start < end else None

    def within(self, part: Window) -> Window | None:
        """Give what of the span a window that was asked is about."""
        start, end = max(part.start, self.span.start), min(part.end, self.span.end)
        return Window(start, end) if start < end else None
