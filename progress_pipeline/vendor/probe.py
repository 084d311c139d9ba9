"""Finding out, with a few calls, how this vendor answers the open questions (at most `PROBE_CALLS`).

The probe takes records that the vendor shows and asks for them again by windows and searches in which they must stand
under one answer to a question and must not under another. Which date is filtered on, and how dates are read, is the
subject of `date_probe`; what the answers mean, of `answers`.
"""

from datetime import datetime, timedelta

from progress_pipeline.vendor.answers import (
    AN_UPDATE_EACH,
    WHOLE_DAY,
    Answers,
    Finding,
)
from progress_pipeline.vendor.asker import Asker
from progress_pipeline.vendor.client import VendorClient
from progress_pipeline.vendor.date_probe import PROBE_CALLS, SECOND, Budget, DateProbe, Probing
from progress_pipeline.vendor.exchange import Answer
from progress_pipeline.vendor.ledger import Purpose
from progress_pipeline.vendor.measuring import learn_cap, measure
from progress_pipeline.vendor.starting import find_unit
from progress_pipeline.vendor.tiles import Tile
from progress_pipeline.vendor.windows import Window
from progress_pipeline.vendor.witnesses import Witness, witnesses

__all__ = ["PROBE_CALLS", "probe", "probing"]

WIDE = timedelta(days=3650)


def probe(client: VendorClient, answers: Answers, *, now: datetime, page_size: int) -> list[Finding]:
    """Spend at most `PROBE_CALLS` calls on the open questions, and give all answers.

    Args:
        client: Asks the vendor.
        answers: What is known; what is found is added.
        now: The present.
        page_size: Records asked for in one call.

    Raises:
        VendorError: The vendor could not be asked.
        CallsUsedUpError: The day's calls do not suffice; what was found is kept.
    """
    for _ in probing(client, answers, now=now, page_size=page_size):
        pass
    return answers.findings()


def probing(client: VendorClient, answers: Answers, *, now: datetime, page_size: int) -> Probing:
    """Probe, and yield each answer, whose records are as good as any; as `probe`."""
    asker = Asker(client, answers, Purpose.PROBE, page_size, attempts=1)
    budget, wide = Budget(asker, PROBE_CALLS), _wide(answers, now, client.vendor_now())
    first = yield from asker.ask(wide)
    if first.page.size == 0:
        return
    yield from _learn_paging(asker, wide, first)
    answers.refine("dates_tried", now.isoformat(), "")
    chosen = witnesses(first)
    dates = DateProbe(asker, chosen, budget)
    yield from dates.run()
    if dates.found is not None and answers.get("grain") == "second":
        yield from _learn_ends(dates, *dates.found)
    if chosen and not budget.is_spent:
        yield from _learn_transactions(asker, chosen[0], wide)
    if not answers.is_ordered and not budget.is_spent:
        again = client.ask(Purpose.PROBE, first.question, attempts=1)
        yield again
        same = again.page.records["transaction_id"].equals(first.page.records["transaction_id"])
        evidence = f"calls {first.call_id} and {again.call_id}, the same question"
        answers.refine("paging", "steady" if same else "moving", evidence)


def _wide(answers: Answers, now: datetime, vendor_now: datetime) -> Window:
    """Give as wide a range as the vendor takes, as far as is known."""
    end = answers.latest_end(vendor_now) or now + 2 * WHOLE_DAY
    return Window(max(now - WIDE, end - (answers.longest_range or WIDE + 2 * WHOLE_DAY)), end)


def _learn_paging(asker: Asker, wide: Window, first: Answer) -> Probing:
    """Learn what `start` counts, what `count` means, and how much an answer holds."""
    page, answers = first.page, asker.answers
    ids = set(page.records["transaction_id"].to_pylist())
    if (page.count or 0) > page.size:
        yield from _ask_for_the_last(asker, wide, first)
    elif page.size >= asker.page_size:
        if answers.is_ordered:
            yield from find_unit(asker, Tile(wide, wide), first)
    else:
        yield from measure(asker, wide, ids, page.size - len(ids))
    if page.size < asker.page_size and (page.count or 0) > page.size:
        learn_cap(answers, first)
    elif page.size == asker.page_size < answers.asks_for(10 * asker.page_size):
        more = yield from asker.ask(wide, number=10 * asker.page_size)
        if more.page.size == asker.page_size and (more.page.count or 0) > more.page.size:
            evidence = f"call {more.call_id}: {more.page.size} of {10 * asker.page_size} asked for"
            answers.refine("page_cap", more.page.size, evidence, more.call_id)


def _ask_for_the_last(asker: Asker, wide: Window, first: Answer) -> Probing:
    """Ask from the last row on that `count` announces: if one comes, `start` counts rows, and `count` all of them."""
    count = first.page.count or 0
    last = yield from asker.ask(wide, start=count - 1)
    evidence = f"call {last.call_id}: from row {count - 1} of {count} announced on comes one"
    if last.page.size == 1:
        asker.answers.learn("start_unit", "rows", evidence, last.call_id)
        if asker.answers.get("count_is") is None:
            asker.answers.learn("count_is", "total", evidence, last.call_id)
    elif last.page.size == first.page.size:
        asker.answers.learn("start_unit", "ignored", f"call {last.call_id}: from row {count - 1} on comes a whole page")
    else:
        yield from find_unit(asker, Tile(wide, wide, expected=count), first)


def _learn_ends(dates: DateProbe, one: Witness, at: datetime) -> Probing:
    """Learn whether each end of a range is itself in; a vendor that hides fractions of a second hides that, too."""
    for question, window in (("start_date", Window(at, at + SECOND)), ("end_date", Window(at - SECOND, at))):
        look = yield from dates.looks(one, window)
        if look is not None:
            answer = "inclusive" if look.is_there else "exclusive"
            dates.asker.answers.refine(question, answer, f"{look.told}, its own instant as that end", look.call_id)


def _learn_transactions(asker: Asker, one: Witness, wide: Window) -> Probing:
    """Learn whether each update has a transaction of its own, from a completed registration's transactions."""
    answer = yield from asker.ask(wide, search=one.registration[:100])
    registrations = answer.page.records["registration"].to_pylist()
    count = sum(1 for each in registrations if each and each.strip() == one.registration)
    if count:
        told = AN_UPDATE_EACH if count > 1 else "updated in place, or only the newest is listed"
        evidence = f"call {answer.call_id}: registration {one.registration} has {count}"
        asker.answers.refine("transactions", told, evidence, answer.call_id)
