"""Where the covering of a span goes on: what earlier runs left at an edge of it, and what this run leaves to the next.

What is kept, and why the work so comes to an end, is the subject of `unfinished`.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from progress_pipeline.vendor.asker import Asker
from progress_pipeline.vendor.bringing import too_dear
from progress_pipeline.vendor.claims import Claims
from progress_pipeline.vendor.cutting import Cutter
from progress_pipeline.vendor.unfinished import Stop, Unfinished
from progress_pipeline.vendor.windows import Window, join


@dataclass
class Resuming:
    """The stops of one span.

    Attributes:
        asker: Asks for the span.
        span: The span.
        cutter: Cuts it.
        stop: What earlier runs left where this one goes on, until something is proven.
        trying: The window that is being brought in.
    """

    asker: Asker
    span: Window
    cutter: Cutter
    stop: Stop | None = None
    trying: Window | None = None
    unfinished: Unfinished = field(init=False)

    def __post_init__(self) -> None:
        ledger, purpose = self.asker.client.ledger, self.asker.purpose
        self.unfinished = Unfinished(ledger, purpose, self.asker.page_size, ledger.granted(purpose))

    def begin(self, part: Window) -> None:
        """Look up what was left where a window goes on, and try it."""
        self.stop, self.trying = self.unfinished.at(self._edge(part)), part

    def begin_chain(self, left: Window, shortest: timedelta) -> None:
        """Make the first window of a chain as short as earlier runs left it."""
        self.stop = self.unfinished.at(self._edge(left))
        if self.stop is not None:
            self.cutter.at_most = shortest + self.stop.at_most

    def pass_over(self) -> str | None:
        """Give why the window that is tried is passed over, and forget its length; None if it is to be asked."""
        if self.stop is None or self.stop.why is None:
            return None
        why, self.stop, self.cutter.at_most = self.stop.why, None, None
        return why

    def is_least(self, claims: Claims) -> bool:
        """Say whether a window is the least that could prove anything, and cutting it saves nothing."""
        return claims.chain is None and self.stop is not None and self.stop.at_most <= self.cutter.shortest

    def give_up(self, part: Window, claims: Claims, why: str) -> None:
        """Keep that no day suffices for a window, and why."""
        self.unfinished.keep(self._edge(part), max(part.duration - claims.shortest, self.cutter.shortest), why)
        self.stop = None

    def come_past(self, claimed: Window) -> None:
        """Forget what stood where something is proven now."""
        self.stop = None
        self.unfinished.forget(self.span.start if self.cutter.newest_first else claimed.start)

    def keep(self, claims: Claims) -> None:
        """Let the next run begin with what was proven at once here, or with half of what this one began with."""
        calls = len(self.asker.call_ids)
        if claims.last is not None and claims.is_proving:
            self.unfinished.keep(claims.edge(newest_first=self.cutter.newest_first), 2 * claims.last.duration)
        elif self.trying is not None and calls:
            begun = self.trying if claims.chain is None else join([claims.chain, self.trying])[0]
            granted = self.asker.client.ledger.granted(self.asker.purpose)
            is_shortest = self.stop is not None and self.stop.at_most <= self.cutter.shortest
            why = too_dear(f"was not proven by {calls} calls", granted, self.asker)
            before = self.stop.at_most if self.stop is not None else begun.duration
            at_most = max(min(begun.duration - claims.shortest, before) / 2, self.cutter.shortest)
            self.unfinished.keep(self._edge(begun), at_most, why if is_shortest and calls > granted / 2 else None)

    def _edge(self, part: Window) -> datetime:
        """Give the end at which a window goes on; a span's own moving end is known by its beginning."""
        if self.cutter.newest_first:
            return part.end if part.end < self.span.end else self.span.start
        return max(part.start, self.span.start)
