"""Carrying a plan out: asks in order, what comes as batches, and how it ended.

A batch holds records as they came and the windows whose rows are all in it or in earlier ones, so that a load of it
is whole and a kill costs one batch at most. Whatever ends the work, what came before is handed on first. A token that
is refused is raised; all else is told by the outcome, since the rest of a run goes on without the vendor.
"""

from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC
from math import ceil
from typing import TypeAlias

import pyarrow as pa

from progress_pipeline.errors import (
    CallsUsedUpError,
    LimitRefusedError,
    ProgressPipelineError,
    UnreadableAnswerError,
    VendorUnavailableError,
)
from progress_pipeline.vendor.answers import Answers
from progress_pipeline.vendor.asker import Asker
from progress_pipeline.vendor.attempts import WindowAttempt
from progress_pipeline.vendor.client import VendorClient
from progress_pipeline.vendor.exchange import Answer
from progress_pipeline.vendor.ledger import Purpose
from progress_pipeline.vendor.planning import Ask
from progress_pipeline.vendor.pricing import FILL
from progress_pipeline.vendor.probe import PROBE_CALLS, probing
from progress_pipeline.vendor.records import RECORD_SCHEMA, Reject
from progress_pipeline.vendor.refusals import LimitFoundError
from progress_pipeline.vendor.sweeping import Sweep, make_sweep

__all__ = ["BATCH_SCHEMA", "Batch", "Outcome", "WindowAttempt", "Work", "carry_out"]

BATCH_SCHEMA = RECORD_SCHEMA.append(pa.field("call_id", pa.int64())).append(pa.field("observed_at", pa.timestamp("us")))
"""A record with the call that brought it and when, in UTC."""

BATCH_ROWS = 20_000
BATCH_CALLS = 25
ASIDE = 20
"""Calls for confirming what was asked, which count as asking again."""
FAILURES = 2
"""So many asks in a row that cannot be carried out mean that the vendor is not there."""

Event: TypeAlias = Answer | WindowAttempt


@dataclass(frozen=True)
class Batch:
    """What one load may take.

    Attributes:
        records: Records, by `BATCH_SCHEMA`.
        rejects: What was no record, each with its call.
        windows: Finished attempts whose rows are all in this or earlier batches.
    """

    records: pa.Table
    rejects: tuple[tuple[int, Reject], ...]
    windows: tuple[WindowAttempt, ...]


@dataclass
class Outcome:
    """How the work ended.

    Attributes:
        how: going_on, done, calls_used_up, limit_refused or unavailable.
        error: What ended it, if it is not done.
        unproven: Attempts that proved nothing.
        calls: Calls that it took, those that failed too.
    """

    how: str = "going_on"
    error: ProgressPipelineError | None = None
    unproven: int = 0
    calls: int = 0


@dataclass
class _Gathering:
    """What has come since the last batch."""

    tables: list[pa.Table] = field(default_factory=list)
    rejects: list[tuple[int, Reject]] = field(default_factory=list)
    windows: list[WindowAttempt] = field(default_factory=list)
    rows: int = 0
    calls: int = 0

    def add(self, event: Event) -> None:
        if isinstance(event, WindowAttempt):
            self.windows.append(event)
            return
        observed_at = event.observed_at.astimezone(UTC).replace(tzinfo=None)
        count = event.page.records.num_rows
        table = event.page.records.append_column(
            "call_id", pa.repeat(pa.scalar(event.call_id, pa.int64()), count)
        ).append_column("observed_at", pa.repeat(pa.scalar(observed_at, pa.timestamp("us")), count))
        self.tables.append(table)
        self.rejects += [(event.call_id, reject) for reject in event.page.rejects]
        self.rows += count
        self.calls += 1

    @property
    def is_full(self) -> bool:
        return self.rows >= BATCH_ROWS or self.calls >= BATCH_CALLS

    def batch(self) -> Batch:
        records = pa.concat_tables(self.tables) if self.tables else BATCH_SCHEMA.empty_table()
        return Batch(records, tuple(self.rejects), tuple(self.windows))

    def __bool__(self) -> bool:
        return bool(self.calls or self.windows)


class Work(Iterator[Batch]):
    """The batches of a plan, one after the other, and how it ended.

    Attributes:
        outcome: How it ended; `going_on` until the last batch was taken.
    """

    def __init__(self, events: Iterator[Event], outcome: Outcome, client: VendorClient) -> None:
        self.outcome = outcome
        self._client, self._before = client, client.calls
        self._batches = self._gather(events)

    def __next__(self) -> Batch:
        return next(self._batches)

    def _gather(self, events: Iterator[Event]) -> Generator[Batch, None, None]:
        gathering = _Gathering()
        failure: ProgressPipelineError | None = None
        while failure is None:
            try:
                event = next(events)
            except StopIteration:
                break
            except ProgressPipelineError as error:
                failure = error
                continue
            finally:
                self.outcome.calls = self._client.calls - self._before
            gathering.add(event)
            self.outcome.unproven += isinstance(event, WindowAttempt) and not event.is_complete
            if gathering.is_full:
                yield gathering.batch()
                gathering = _Gathering()
        if gathering:
            yield gathering.batch()
        if failure is not None:
            raise failure


def carry_out(
    client: VendorClient,
    asks: Iterable[Ask],
    *,
    answers: Answers,
    page_size: int,
    newest_first: bool = False,
) -> Work:
    """Carry a plan out.

    Args:
        client: Asks the vendor.
        asks: The plan, in order.
        answers: What is known of this vendor; what its answers show is added.
        page_size: Records asked for in one call.
        newest_first: Whether a span that takes several windows begins at its newest end.

    Returns:
        The batches, lazily; the iteration raises TokenRefusedError once what came before is handed on.
    """
    plan = list(asks)
    client.ledger.expect(_needed(plan, answers.fits(page_size)))
    outcome = Outcome()
    return Work(_events(client, answers, plan, outcome, page_size, newest_first=newest_first), outcome, client)


def _needed(asks: list[Ask], fits: int) -> dict[Purpose, int]:
    """Give the calls that the plan itself needs for asking again, so that the rest of what is kept for it is free."""
    again = [ask.expected_rows or 0.0 for ask in asks if ask.purpose is Purpose.RECHECK]
    return {Purpose.RECHECK: ASIDE + sum(2 + ceil(rows / (FILL * fits)) for rows in again)}


def _events(  # noqa: PLR0913 - as carry_out
    client: VendorClient, answers: Answers, asks: list[Ask], outcome: Outcome, page_size: int, *, newest_first: bool
) -> Generator[Event, None, None]:
    spent = set[Purpose]()
    failures, alerted = 0, len(answers.alerts())
    for ask in asks:
        if ask.purpose in spent:
            continue
        # What is asked again goes on where it stopped, so it always goes the same way.
        covering = _Covering(client, answers, ask, page_size, newest_first and ask.purpose is not Purpose.RECHECK)
        try:
            yield from covering.run()
            failures = 0
        except CallsUsedUpError as error:
            spent.add(ask.purpose)
            outcome.how, outcome.error = "calls_used_up", error
        except (LimitRefusedError, VendorUnavailableError, UnreadableAnswerError) as error:
            yield from covering.sweep.conclusions.end(error, newest_first=covering.newest_first)
            failures += 1
            is_limit = isinstance(error, LimitRefusedError)
            if is_limit or failures == FAILURES or len(asks) == 1:
                outcome.how, outcome.error = "limit_refused" if is_limit else "unavailable", error
                return
    if outcome.how == "going_on":
        outcome.how = "done"
        if len(answers.alerts()) > alerted:
            yield from _probe_again(client, answers, page_size)


@dataclass
class _Covering:
    """The covering of one ask, begun again where a limit of the vendor was found: each is found once."""

    client: VendorClient
    answers: Answers
    ask: Ask
    page_size: int
    newest_first: bool
    sweep: Sweep = field(init=False)

    def run(self) -> Generator[Event, None, None]:
        while True:
            asker = Asker(
                self.client, self.answers, self.ask.purpose, self.page_size, search=self.ask.search, finds_limits=True
            )
            self.sweep = make_sweep(asker, self.ask, newest_first=self.newest_first)
            with suppress(LimitFoundError):
                yield from self.sweep.run()
                return


def _probe_again(client: VendorClient, answers: Answers, page_size: int) -> Generator[Event, None, None]:
    """Probe once more after a run in which something contradicted an answer, if calls are left for it."""
    if client.ledger.left(Purpose.PROBE) >= PROBE_CALLS:
        with suppress(CallsUsedUpError, LimitRefusedError, VendorUnavailableError, UnreadableAnswerError):
            yield from probing(client, answers, now=client.clock(), page_size=page_size)
