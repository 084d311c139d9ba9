"""What is said of a span: which of its parts are proven and by what, and which are not and why.

How the parts are brought in is decided elsewhere (`sweeping`); what of them may be claimed, in `claims`.
"""

from collections.abc import Generator
from dataclasses import dataclass, field

from progress_pipeline.errors import ProgressPipelineError
from progress_pipeline.vendor.asker import Asker
from progress_pipeline.vendor.attempts import WindowAttempt
from progress_pipeline.vendor.claims import Claims
from progress_pipeline.vendor.planning import Ask
from progress_pipeline.vendor.resuming import Resuming
from progress_pipeline.vendor.tiles import Tile, Verdict
from progress_pipeline.vendor.windows import Window


@dataclass
class Conclusions:
    """The attempts of one span, each written down as soon as it can be.

    Attributes:
        asker: Asked for it.
        ask: What is to be covered.
        resuming: Where the next run goes on.
        claims: What is proven so far.
    """

    asker: Asker
    ask: Ask
    resuming: Resuming
    claims: Claims = field(init=False)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Begin with nothing proven, by what is known of the vendor now."""
        answers = self.asker.answers
        self.claims = Claims(self.ask.window, answers.slack, answers.latest_end(self.asker.client.vendor_now()))

    def conclude(self, tile: Tile) -> Generator[WindowAttempt, None, None]:
        """Say what is proven by a window, or why it is not."""
        yield from self.claim([tile]) if tile.verdict is Verdict.PROVEN else self._give_up(tile)

    def claim(self, tiles: list[Tile]) -> Generator[WindowAttempt, None, None]:
        """Say what is proven by windows that are."""
        whole = Window(min(tile.window.start for tile in tiles), max(tile.window.end for tile in tiles))
        until = self.asker.first_at[1] if self.asker.first_at else self.asker.client.vendor_now()
        claimed = self.claims.add(whole, until)
        if claimed is not None:
            self.resuming.come_past(claimed)
            self.claims.last = claimed
            yield self._attempt(claimed, tiles, proof=tiles[0].told)

    def _give_up(self, tile: Tile) -> Generator[WindowAttempt, None, None]:
        """Say why a window is not proven."""
        about = self.claims.within(tile.window)
        if about is not None:
            yield self._attempt(about, [tile], reason=tile.told)
        self.claims.break_off()

    def end(self, error: ProgressPipelineError, *, newest_first: bool) -> Generator[WindowAttempt, None, None]:
        """Say why the rest of the span is not proven."""
        rest = self.claims.rest(newest_first=newest_first)
        if rest is not None:
            yield self._attempt(rest, [], reason=str(error))

    def _attempt(
        self, window: Window, tiles: list[Tile], *, proof: str | None = None, reason: str | None = None
    ) -> WindowAttempt:
        asker = self.asker
        attempt = WindowAttempt.of(
            self.ask.purpose,
            window,
            search=self.ask.search,
            attempted_at=asker.first_at[0] if asker.first_at else asker.client.clock(),
            call_ids=asker.call_ids,
            expected_rows=tiles[0].expected if len(tiles) == 1 else None,
            distinct_rows=len(set[str]().union(*(tile.ids for tile in tiles))),
            proof=proof,
            reason=reason,
        )
        asker.begin()
        return attempt
