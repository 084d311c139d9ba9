"""The client of the vendor's API: one question, one answer, each call counted before it leaves.

What can heal is asked again, a little later each time; every try is a call in the ledger. Every body is kept as it
came. How a question travels is the subject of `sending`; what an answer means for a window is not decided here.
"""

import hashlib
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import httpx
import stamina
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from progress_pipeline.clock import Clock, system_clock
from progress_pipeline.errors import LimitRefusedError, VendorUnavailableError
from progress_pipeline.vendor.answering import Judgement, http_date, judge
from progress_pipeline.vendor.exchange import Answer, Question
from progress_pipeline.vendor.ledger import CallLedger, Finish, Purpose
from progress_pipeline.vendor.pages import KeptPages
from progress_pipeline.vendor.sending import Limits, Sender

logger = logging.getLogger(__name__)


def _tell_retry(details: RetryDetails) -> None:
    logger.info("%s Asking again in %.0f s.", details.caused_by, details.wait_for)


# stamina's own choices would print each retry to stdout, where a command's answer goes, or log it without its reason.
set_on_retry_hooks([_tell_retry])

SKEW_DOUBT = timedelta(seconds=3)
"""A Date header tells whole seconds, and travels for a while."""
CALLS_KEPT = timedelta(days=400)
"""Older calls count towards no day, and the warehouse has had them for long."""
SHOWING = timedelta(minutes=1)
"""How long a change may take until the vendor shows it; a double on this machine shows it at once."""


class _PassingError(Exception):
    """A failure that asking again may heal."""

    def __init__(self, judgement: Judgement) -> None:
        super().__init__(str(judgement.error))
        self.judgement = judgement


class VendorClient:
    """Asks the vendor; a context manager.

    Args:
        url: The full endpoint.
        token: The API's token.
        ledger: Counts each call before it leaves.
        clock: Gives the run's present instant.
        pages: Keeps each body.
        limits: How long, how often, how much.
        transport: Stands in for the network.

    Attributes:
        is_double: Whether the endpoint is this machine, where a double of the vendor plays time.
        skew: How far the vendor's clock is ahead of ours, by its Date header.
        calls: Calls that it made, tries included.
    """

    def __init__(  # noqa: PLR0913 - what a client is made of, each by name
        self,
        url: str,
        token: str,
        ledger: CallLedger,
        *,
        clock: Clock = system_clock,
        pages: KeptPages | None = None,
        limits: Limits | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._sender = Sender(url, token, self._limits, transport)
        self.is_double = self._sender.is_double
        self.ledger = ledger
        self.clock = clock
        self.skew = timedelta()
        self.calls = 0
        self._pages = pages or KeptPages(None)
        # Packing and hashing a page leave Python to others, so they run while it is read.
        self._keeping = ThreadPoolExecutor(1, thread_name_prefix="keeping-pages")
        self._pages.drop_old(clock().date())
        ledger.forget(ledger.clock() - CALLS_KEPT)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._keeping.shutdown()
        self._sender.close()

    def vendor_now(self) -> datetime:
        """Give an instant up to which the vendor shows what happened.

        It is ours, or earlier if the vendor's clock is behind, less what a change may take to show.
        """
        behind = min(self.skew, timedelta()) if abs(self.skew) > SKEW_DOUBT else timedelta()
        return self.clock() + behind - (timedelta() if self.is_double else SHOWING)

    def ask(self, purpose: Purpose, question: Question, *, attempts: int | None = None) -> Answer:
        """Ask one question, again where that may heal.

        Args:
            purpose: What the call is for.
            question: What is asked.
            attempts: Calls at most; `Limits.attempts` where it is None.

        Raises:
            CallsUsedUpError: The ledger holds the call back.
            TokenRefusedError: The token is not accepted.
            LimitRefusedError: The vendor's limit is reached; the ledger now holds all calls back.
            QuestionRefusedError: The vendor does not take the question.
            UnreadableAnswerError: What it answered is no answer, each time.
            VendorUnavailableError: It could not be reached or failed, each time.
        """
        tries = stamina.retry_context(
            on=self._backoff,
            attempts=attempts or self._limits.attempts,
            timeout=None,
            wait_initial=1.0,
            wait_max=30.0,
        )
        try:
            for attempt in tries:
                with attempt:
                    return self._ask_once(purpose, question)
        except _PassingError as passing:
            judgement = passing.judgement
            if isinstance(judgement.error, LimitRefusedError):
                self.ledger.refuse(str(judgement.error), judgement.wait)
            raise judgement.error from passing.__cause__
        raise VendorUnavailableError("No call was tried.")

    def _backoff(self, error: Exception) -> bool | float:
        """Say whether to ask again, and how long to wait where the vendor said so."""
        if not isinstance(error, _PassingError) or not error.judgement.can_heal:
            return False
        wait = error.judgement.wait
        if wait is None:
            return True
        return wait.total_seconds() if wait.total_seconds() <= self._limits.wait_seconds else False

    def _ask_once(self, purpose: Purpose, question: Question) -> Answer:
        fields = question.fields()
        counted_at = self.clock()
        call_id = self.ledger.reserve(purpose, question.window, fields)
        self.calls += 1
        begun = time.monotonic()
        try:
            status, headers, body = self._sender.send(fields, begun)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            said = f"{type(error).__name__}: {error}".rstrip(": ")
            self.ledger.finish(call_id, Finish("failed", duration_seconds=time.monotonic() - begun, error=said))
            failure = VendorUnavailableError(
                f"The vendor at {self._sender.host} could not be asked ({said}). "
                "Check PROGRESS_API_URL and the network."
            )
            raise _PassingError(Judgement(failure, can_heal=True)) from error
        kept = self._keeping.submit(self._keep, call_id, counted_at, body)
        read = judge(status, headers, body, system_clock())
        finish = Finish(
            outcome="answered",
            http_status=status,
            byte_count=len(body),
            sha256=kept.result(),
            duration_seconds=time.monotonic() - begun,
        )
        if isinstance(read, Judgement):
            outcome = "failed" if read.can_heal else "refused"
            self.ledger.finish(call_id, replace(finish, outcome=outcome, error=str(read.error)))
            raise _PassingError(read)
        self.ledger.finish(call_id, replace(finish, row_count=read.records.num_rows, vendor_count=read.count))
        self._note_skew(headers.get("date", ""))
        return Answer(question, read, call_id, counted_at, self.clock())

    def _keep(self, call_id: int, counted_at: datetime, body: bytes) -> str:
        """Write a page down, and give its hash."""
        self._pages.keep(call_id, counted_at, body)
        return hashlib.sha256(body).hexdigest()

    def _note_skew(self, date: str) -> None:
        """Take the vendor's clock from its Date header, held against the run's clock or the machine's, as is nearer.

        A double may play time, in its Date header too or not; a run may be played as of another instant.
        """
        at = http_date(date)
        if at is not None:
            self.skew = min((at - self.clock(), at - system_clock()), key=abs)
