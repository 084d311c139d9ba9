"""Covering a span by windows that each fit in one answer: asked, and halved in time where there is more."""

from collections.abc import Generator
from datetime import timedelta

from progress_pipeline.vendor.attempts import WindowAttempt
from progress_pipeline.vendor.client import Answer, Question, VendorClient
from progress_pipeline.vendor.planning import Ask
from progress_pipeline.vendor.windows import Window

SHORTEST = timedelta(seconds=1)
PAD = timedelta(hours=38)
JOINT = timedelta(hours=24, seconds=1)


def sweep(
    client: VendorClient, ask: Ask, *, page_size: int, newest_first: bool = False
) -> Generator[Answer | WindowAttempt, None, None]:
    """Cover a span."""
    parts = [ask.window]
    while parts:
        window = parts.pop()
        asked = Window(window.start - PAD, window.end + PAD)
        answer = client.ask(ask.purpose, Question(asked, page_size, search=ask.search))
        yield answer
        page = answer.page
        is_whole = page.size < page_size if page.count is None else page.count == page.size
        if not is_whole and window.duration > SHORTEST:
            middle = window.start + window.duration / 2
            halves = [Window(window.start, middle), Window(middle, window.end)]
            parts += halves if newest_first else halves[::-1]
            continue
        yield WindowAttempt.of(
            ask.purpose,
            window,
            search=ask.search,
            attempted_at=answer.counted_at,
            call_ids=[answer.call_id],
            expected_rows=page.count,
            distinct_rows=page.records.num_rows,
            proof="one answer" if is_whole else None,
            reason=None if is_whole else "there is more in it than an answer holds",
        )
