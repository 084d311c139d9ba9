"""The raw tables as assets: one step lands what was told, then asks for what is not covered.

Landing comes first and needs no network, so a vendor that is down costs nothing of what it pushed. A vendor that cannot
be asked for a day does not fail the step: what it cost is in the tables, and the checks judge it. A token that is
refused does.
"""

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import dagster as dg
from pydantic import Field

from progress_pipeline.clock import Clock, parse_instant
from progress_pipeline.errors import UsageError
from progress_pipeline.ingest.loading import Loader
from progress_pipeline.ingest.raw_tables import RAW_TABLES
from progress_pipeline.ingest.rows import RunFacts
from progress_pipeline.ingest.validities import carry_validities
from progress_pipeline.ingest.vendor_api import load_batches
from progress_pipeline.ingest.webhook import load_landed, put_loaded_away, webhook
from progress_pipeline.orchestration.asking import asks_of_today, open_vendor
from progress_pipeline.orchestration.automation import BACKFILL
from progress_pipeline.orchestration.describing import PREVIEW_ROWS, as_table, asset_key, raw_spec
from progress_pipeline.orchestration.resources import RunContext, start_of_coverage
from progress_pipeline.settings import Settings
from progress_pipeline.vendor.asking import WindowAttempt, carry_out
from progress_pipeline.warehouse.connection import connect
from progress_pipeline.warehouse.reading import first_rows
from progress_pipeline.warehouse.standing import count_rows
from progress_pipeline.warehouse.state import known_state

logger = logging.getLogger(__name__)

TOLD = frozenset({"webhook_files", "webhook_deliveries", "webhook_updates", "webhook_refusals", "activity_validities"})
"""Tables that landing alone fills."""

ASKED = frozenset({"api_progress", "api_calls", "api_windows"})
"""Tables that asking alone fills."""

Facts = dict[str, dict[str, Any]]


class PullConfig(dg.Config):
    """What is asked of the vendor; the UI shows each description where the configuration is written.

    Attributes:
        from_: First day of a span to cover; empty for the daily pull.
        to: Last day of that span.
    """

    from_: str = Field(
        default="",
        description="First day of the span to cover, UTC, like 2026-11-01; without `to`, that day alone. "
        "Empty for the daily pull.",
    )
    to: str = Field(default="", description="Last day of that span, UTC; without `from_`, that day alone.")

    def span_of(self, job: str) -> tuple[datetime, datetime] | None:
        """Give the span that a run of a job covers, its end exclusive; None for the daily pull.

        Raises:
            UsageError: The span cannot be read, or the job is a backfill and there is none.
        """
        if self.from_ or self.to:
            first, last = parse_instant(self.from_ or self.to), parse_instant(self.to or self.from_)
            if last < first:
                raise UsageError(f"to: {self.to} is before from_: {self.from_}; give the earlier day as from_.")
            return first, last + timedelta(days=1)
        if job == BACKFILL:
            raise UsageError(
                "A backfill covers the span that its configuration names, and it names none. Launch it with "
                '`ops: {raw: {config: {from_: "2026-11-01", to: "2026-11-07"}}}`, or launch `daily`.'
            )
        return None


def raw_assets() -> dg.AssetsDefinition:
    """Make the step that fills the raw tables."""

    @dg.multi_asset(name="raw", specs=[raw_spec(table) for table in RAW_TABLES], can_subset=True)
    def raw(
        context: dg.AssetExecutionContext, config: PullConfig, run_context: RunContext
    ) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        """Land what was told, then ask for what is not covered."""
        selected = {key.path[-1] for key in context.selected_asset_keys}
        with run_context.turn() as settings:
            clock = run_context.clock()
            span = config.span_of(context.run.job_name)
            purpose = "backfill" if span else "daily"
            run = run_facts(settings, clock, context.run.run_id, purpose)
            with Loader(settings.warehouse_path, run) as loader:
                facts = pull(
                    loader,
                    settings,
                    clock,
                    span=span,
                    lands=bool(selected - ASKED),
                    asks=bool(selected - TOLD),
                )
            yield from _results(settings, selected, facts)

    return raw


def run_facts(settings: Settings, clock: Clock, run_id: str, purpose: str) -> RunFacts:
    """Give what `raw.runs` tells of a run."""
    return RunFacts(
        run_id=run_id,
        as_of=clock(),
        purpose=purpose,
        start_at=start_of_coverage(settings),
        settle_minutes=settings.settle_minutes,
        lookback_days=settings.lookback_days,
        daily_calls=settings.api_daily_calls,
    )


def pull(  # noqa: PLR0913 - what a pull follows from, each by name
    loader: Loader,
    settings: Settings,
    clock: Clock,
    *,
    span: tuple[datetime, datetime] | None = None,
    lands: bool = True,
    asks: bool = True,
) -> Facts:
    """Land what was told, then ask for what is not covered; what landed is loaded whatever becomes of the asking.

    Args:
        loader: The open loader.
        settings: The settings.
        clock: The run's clock.
        span: A span to cover, its end exclusive; None for the daily pull.
        lands: Whether anything that landing fills is wanted.
        asks: Whether anything that asking fills is wanted.

    Returns:
        What each table's asset says of itself.
    """
    facts = _land(loader, settings) if lands else {}
    try:
        if asks:
            facts |= _ask(loader, settings, clock, span)
    finally:
        if loader.is_carrying:
            loader.load(webhook(loader))
    if lands:
        put_loaded_away(loader, settings.landing_path, how=settings.landing_after_load, clock=clock)
    return facts


def _land(loader: Loader, settings: Settings) -> Facts:
    logger.info("reading what has landed in %s", settings.landing_path)
    with loader.query():
        lines = carry_validities(loader, settings.validity_file)
        report = load_landed(loader, settings.landing_path, now=loader.run.as_of)
    logger.info("landed: %s deliveries with %s updates", report.deliveries, report.updates)
    return {
        "webhook_files": {"new_rows": report.files},
        "webhook_deliveries": {"new_rows": report.deliveries},
        "webhook_updates": {"new_rows": report.updates, "deliveries": report.deliveries},
        "webhook_refusals": {"new_rows": report.refusals},
        "activity_validities": {"new_rows": lines},
        "rejects": {"new_rows_from_webhook": report.rejects},
    }


def _ask(loader: Loader, settings: Settings, clock: Clock, span: tuple[datetime, datetime] | None) -> Facts:
    settings.require_begun(clock())
    with connect(settings.warehouse_path) as connection:
        state = known_state(connection)
    with open_vendor(settings, clock) as vendor:
        asks = asks_of_today(vendor, settings, state, clock(), span)
        logger.info("asking the vendor for %s spans", len(asks))
        work = carry_out(
            vendor.client,
            asks,
            answers=vendor.answers,
            page_size=settings.api_page_size,
            newest_first=settings.fill_order == "newest",
        )
        report = load_batches(loader, work, calls_since=vendor.ledger.calls_since, start_at=start_of_coverage(settings))
        outcome, left = work.outcome, vendor.ledger.left()
    logger.info("asked: %s calls, %s records, %s of them new", outcome.calls, report.records, report.new_versions)
    if outcome.error is not None:
        # The run goes on and may end well; the log is where its reader looks first.
        logger.warning("not everything was asked: %s", outcome.error)
    covered = report.covered_until
    return {
        "api_progress": {"new_rows": report.new_versions, "records": report.records},
        "api_calls": {"new_rows": outcome.calls, "calls_left": left},
        "api_windows": {
            "new_rows": len(report.windows),
            "windows": as_table([_told(window) for window in report.windows[:20]]),
            "calls": outcome.calls,
            "calls_left": left,
            "covered_until": f"{covered:%Y-%m-%d %H:%M:%S} UTC" if covered else "nothing yet",
            "unproven": outcome.unproven,
            "ended": outcome.how,
            "ended_because": str(outcome.error or ""),
        },
        "rejects": {"new_rows_from_api": report.rejects},
    }


def _told(window: WindowAttempt) -> dict[str, object]:
    return {
        "purpose": window.purpose,
        "from": f"{window.window_start:%Y-%m-%d %H:%M:%S}",
        "to": f"{window.window_end:%Y-%m-%d %H:%M:%S}",
        "calls": window.call_count,
        "rows": window.distinct_rows,
        "proven": window.proof or f"no: {window.reason}",
    }


def _results(
    settings: Settings, selected: set[str], facts: Mapping[str, Mapping[str, Any]]
) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
    """Say of each table what it has now, and what came."""
    with connect(settings.warehouse_path) as connection:
        counts = count_rows(connection, [f"raw.{table.name}" for table in RAW_TABLES])
        for table in RAW_TABLES:
            if table.name in selected:
                name = f"raw.{table.name}"
                yield dg.MaterializeResult(
                    asset_key=asset_key(name),
                    metadata={
                        "dagster/row_count": counts[name],
                        **facts.get(table.name, {}),
                        "preview": as_table(first_rows(connection, name, PREVIEW_ROWS)),
                    },
                )
