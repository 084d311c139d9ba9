"""Finding out what `start` counts and how long a list is, when the first list has to be paged.

With `number` 1, rows and pages are the same, so how long a list is can be told without knowing which of the two is
counted. Once it is known, two questions tell them apart: rows go on from a `start` within the list, pages have ended
long before, unless the list is as many times longer as a page has rows.
"""

from collections.abc import Generator

from progress_pipeline.vendor.asker import Asker, Asking
from progress_pipeline.vendor.exchange import Answer
from progress_pipeline.vendor.measuring import FAR, learn_unit
from progress_pipeline.vendor.tiles import Tile

GALLOP = 4
CLOSELY = 0.3


def find_unit(asker: Asker, tile: Tile, first: Answer) -> Generator[Answer, None, None]:
    """Learn what `start` counts, from a list that is longer than its first page.

    Args:
        asker: Asks.
        tile: The window of the list; how long the list is at least is added to it.
        first: The list's first page.
    """
    size = first.page.size
    if size < 2 or asker.answers.start_unit is not None:  # noqa: PLR2004 - one row has no end and beginning
        return
    if (
        asker.answers.is_ordered
        and first.question.sort == asker.answers.sort
        and (yield from _goes_on(asker, tile, first))
    ):
        return
    far = yield from asker.ask_aside(tile.asked, start=FAR, number=2)
    if far.page.size:
        learn_unit(asker.answers, "ignored", f"call {far.call_id}: `start` {FAR} gives rows", far)
        return
    within = tile.expected - 1 if tile.expected else (yield from gauge(asker, tile))
    while within * size < FAR:
        answer = yield from _ask_twice(asker, tile, start=within)
        if not answer.page.size:
            if tile.expected and not (yield from _ask_twice(asker, tile, start=within, number=1)).page.size:
                return  # it is not as long as was announced
            evidence = f"call {answer.call_id}: `start` {within} is beyond the list of more than {within} rows"
            learn_unit(asker.answers, "pages", evidence, answer)
            break
        # Rows from there on also come of pages, if the list is so much longer than was thought.
        beyond = yield from _ask_twice(asker, tile, start=within * size, number=1)
        if not beyond.page.size:
            told = f"calls {answer.call_id} and {beyond.call_id}: `start` {within} is within the list of fewer than"
            learn_unit(asker.answers, "rows", f"{told} {within * size + 1} rows", answer)
            break
        within *= size
    tile.at_least = max(tile.at_least, 2 * within)


def _ask_twice(asker: Asker, tile: Tile, *, start: int, number: int | None = None) -> Asking:
    """Ask aside, and once more if nothing comes, since servers give empty answers for many reasons."""
    answer = yield from asker.ask_aside(tile.asked, start=start, number=number)
    if answer.page.size:
        return answer
    return (yield from asker.ask_aside(tile.asked, start=start, number=number))


def _goes_on(asker: Asker, tile: Tile, first: Answer) -> Generator[Answer, None, bool]:
    """Ask from the first page's last row on; in a total order, that it comes first settles the matter."""
    ids = first.page.records["transaction_id"].to_pylist()
    answer = yield from asker.ask(tile.asked, start=first.page.size - 1)
    came = answer.page.records["transaction_id"].to_pylist()
    if ids and ids[-1] in came and ids[0] not in came:
        evidence = f"call {answer.call_id}: `start` {first.page.size - 1} gives the last row of the first page again"
        learn_unit(asker.answers, "rows", evidence, answer)
        return True
    return False


def gauge(asker: Asker, tile: Tile) -> Generator[Answer, None, int]:
    """Give a place within a list without a count, in its second half or before it by little."""
    return (yield from _bracket(asker, tile))[0]


def gauge_closely(asker: Asker, tile: Tile) -> Generator[Answer, None, int]:
    """Give about how many rows a list without a count has, hardly less and not much more."""
    within, beyond = yield from _bracket(asker, tile)
    while beyond - within > max(CLOSELY * within, 1) and beyond < FAR:
        middle = (within + beyond) // 2
        answer = yield from asker.ask_aside(tile.asked, start=middle, number=1)
        within, beyond = (middle, beyond) if answer.page.size else (within, middle)
    return beyond


def _bracket(asker: Asker, tile: Tile) -> Generator[Answer, None, tuple[int, int]]:
    """Give a place within a list, and one beyond it."""
    if asker.answers.start_unit == "ignored":
        return max(tile.size, 1) * GALLOP, FAR
    within = max(tile.size - 1, 1)
    while within * GALLOP < FAR:
        answer = yield from asker.ask_aside(tile.asked, start=within * GALLOP, number=1)
        if answer.page.size == 0:
            break
        within *= GALLOP
    return within, within * GALLOP
