"""Opens the vendor for a step: the ledger, the client, what is known of this vendor, and what to ask today."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from progress_pipeline.clock import Clock
from progress_pipeline.orchestration.counted import open_ledger
from progress_pipeline.orchestration.resources import start_of_coverage
from progress_pipeline.settings import Settings
from progress_pipeline.vendor.answers import Answers
from progress_pipeline.vendor.backfilling import plan_backfill
from progress_pipeline.vendor.client import VendorClient
from progress_pipeline.vendor.ledger import CallLedger
from progress_pipeline.vendor.pages import KeptPages
from progress_pipeline.vendor.planning import Ask, KnownState, plan_daily
from progress_pipeline.vendor.staleness import keep_staleness, staleness
from progress_pipeline.vendor.windows import Window


@dataclass(frozen=True)
class Vendor:
    """An open vendor.

    Attributes:
        client: Asks it.
        ledger: Counts the calls.
        answers: What is known of it.
    """

    client: VendorClient
    ledger: CallLedger
    answers: Answers


@contextmanager
def open_vendor(settings: Settings, clock: Clock) -> Iterator[Vendor]:
    """Open the vendor.

    Raises:
        SettingsError: The endpoint or the token is missing, or the token would travel in the clear.
    """
    settings.require_api()
    with (
        open_ledger(settings, clock) as ledger,
        VendorClient(
            settings.api_url,
            settings.api_token.get_secret_value(),
            ledger,
            clock=clock,
            pages=KeptPages(settings.pages_path),
        ) as client,
    ):
        yield Vendor(client, ledger, Answers.load(ledger))


def asks_of_today(
    vendor: Vendor, settings: Settings, state: KnownState, now: datetime, span: tuple[datetime, datetime] | None
) -> list[Ask]:
    """Give what to ask: the daily pull, or what is not covered of a span.

    Args:
        vendor: The open vendor.
        settings: The settings.
        state: What the warehouse knows.
        now: The instant that the run takes as now.
        span: The span to cover, its end exclusive; None for the daily pull.
    """
    newest_first = settings.fill_order == "newest"
    if span is None:
        promise = staleness(
            state, vendor.answers, now=now, daily_calls=settings.api_daily_calls, page_size=settings.api_page_size
        )
        keep_staleness(promise, vendor.answers)
        return plan_daily(
            state,
            start_at=start_of_coverage(settings),
            now=now,
            lookback=timedelta(days=settings.lookback_days),
            page_size=settings.api_page_size,
            answers=vendor.answers,
            newest_first=newest_first,
        )
    estimate = plan_backfill(
        Window(*span),
        state,
        now=now,
        page_size=settings.api_page_size,
        calls_a_day=settings.api_daily_calls,
        newest_first=newest_first,
    )
    return list(estimate.asks)
