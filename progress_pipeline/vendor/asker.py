"""Asking for a span again and again: what is known goes into each question, what an answer shows is taken from it.

Every method that asks is a generator: it yields each answer, so that no record is kept back, and returns what it found.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from progress_pipeline.errors import CallsUsedUpError
from progress_pipeline.vendor.answering import QuestionRefusedError
from progress_pipeline.vendor.answers import GRANTED, ORDERS, REFUSED, Answers
from progress_pipeline.vendor.client import VendorClient
from progress_pipeline.vendor.exchange import Answer, Question
from progress_pipeline.vendor.inference import observe
from progress_pipeline.vendor.ledger import Purpose
from progress_pipeline.vendor.refusals import LimitFoundError, find_limits
from progress_pipeline.vendor.windows import Window

ENOUGH_TO_OVERLAP = 16
"""Records of a page from which on losing some to an overlap leaves enough."""

SHAKY_FOR = timedelta(days=7)

Asking = Generator[Answer, None, Answer]
"""Yields the answer and returns it."""


@dataclass
class Asker:
    """Puts questions for one purpose.

    Attributes:
        client: Asks.
        answers: What is known of the vendor.
        purpose: What the calls are for.
        page_size: Records asked for in one call.
        search: The search term.
        finds_limits: Whether a refused question is looked into.
        attempts: Calls for one question at most; the client's own number where it is None.
        call_ids: The calls made since it was last emptied.
        first_at: When the first of them was made, and up to when the vendor then showed what happened.
    """

    client: VendorClient
    answers: Answers
    purpose: Purpose
    page_size: int
    search: str = ""
    attempts: int | None = None
    finds_limits: bool = False
    call_ids: list[int] = field(default_factory=list)
    first_at: tuple[datetime, datetime] | None = None
    _configured: int = field(init=False)

    def __post_init__(self) -> None:
        self.page_size = self._configured = self.answers.asks_for(self.page_size)

    def ask(  # noqa: PLR0913 - a question's parts, each by name
        self,
        window: Window,
        *,
        start: int = 0,
        number: int | None = None,
        order: str = "ASC",
        search: str | None = None,
        purpose: Purpose | None = None,
    ) -> Asking:
        """Put a question, and take from the answer what it shows."""
        sort = self.answers.sort
        question = Question(
            window=window,
            number=number or self.page_size,
            start=start,
            search=self.search if search is None else search,
            sort=sort,
            order=order,
        )
        if self.first_at is None:
            self.first_at = (self.client.clock(), self.client.vendor_now())
        try:
            answer = self._put(question, purpose)
        except QuestionRefusedError as error:
            if sort in ORDERS and self.answers.get(ORDERS[sort]) != GRANTED:
                self.answers.learn(ORDERS[sort], REFUSED, str(error))
                try:
                    return (
                        yield from self.ask(
                            window, start=start, number=number, order=order, search=search, purpose=purpose
                        )
                    )
                except (QuestionRefusedError, LimitFoundError):
                    self.answers.forget(ORDERS[sort])  # it was not the sort
                    raise
            if not self.finds_limits or start or question.search or question.number > self._configured:
                raise
            now = min(self.client.clock(), self.client.vendor_now())
            answer = find_limits(partial(self._put, purpose=purpose), self.answers, question, error, now)
        self.call_ids.append(answer.call_id)
        observe(self.answers, answer)
        yield answer
        return answer

    def _put(self, question: Question, purpose: Purpose | None) -> Answer:
        return self.client.ask(purpose or self.purpose, question, attempts=self.attempts)

    def ask_from(self, window: Window, place: int, *, is_aside: bool = False) -> Asking:
        """Ask for a list from a place on, or from a little before where `start` counts pages.

        Pages begin at multiples of `number`, so a smaller `number` makes one begin where it is wanted. If `start` is
        not known to count pages, it is taken to count rows.
        """
        start, number = place, self.page_size
        if place and self.answers.start_unit == "pages":
            start = -(-place // self.fits)
            number = place // start
        if is_aside:
            return (yield from self.ask_aside(window, start=start, number=number))
        return (yield from self.ask(window, start=start, number=number))

    def ask_aside(self, window: Window, *, start: int, number: int | None = None) -> Asking:
        """Put a question that only confirms: from the calls for asking again, as far as there are any."""
        try:
            return (yield from self.ask(window, start=start, number=number, purpose=Purpose.RECHECK))
        except CallsUsedUpError:
            return (yield from self.ask(window, start=start, number=number))

    def place(self, answer: Answer) -> int:
        """Give the place in its list at which an answer begins."""
        question = answer.question
        return question.start * question.number if self.answers.start_unit == "pages" else question.start

    @property
    def can_overlap(self) -> bool:
        """Whether pages can begin before the end of the last one; where `start` counts pages, short ones cannot."""
        return self.answers.start_unit == "rows" or self.fits >= ENOUGH_TO_OVERLAP

    def is_full(self, answer: Answer) -> bool:
        """Say whether an answer holds as many records as it could."""
        return answer.page.size >= min(answer.question.number, self.fits)

    @property
    def is_shaky(self) -> bool:
        """Whether calls failed of late: then an answer may be short by a fault too, and two such may fit each other."""
        return self.client.ledger.has_failed(SHAKY_FOR)

    def begin(self) -> None:
        """Begin a new attempt: forget the calls and the time of the last."""
        self.call_ids, self.first_at = [], None

    @property
    def fits(self) -> int:
        """Records that an answer holds at most, as far as is known."""
        return self.answers.fits(self.page_size)
