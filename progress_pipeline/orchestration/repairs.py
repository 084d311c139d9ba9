"""The repair as an asset: what only the webhook told is asked of the API, and the audit is brought up to date.

It stands after the gaps and before the checks (docs/decisions/0004). What to ask is planned in `reconcile`; an ask that
the day's calls do not allow waits for the next run.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

import dagster as dg

from progress_pipeline.clock import Clock
from progress_pipeline.ingest.loading import Loader
from progress_pipeline.ingest.vendor_api import load_batches
from progress_pipeline.orchestration.asking import open_vendor
from progress_pipeline.orchestration.describing import as_table, asset_key, model_specs
from progress_pipeline.orchestration.models import built_metadata
from progress_pipeline.orchestration.raw import run_facts
from progress_pipeline.orchestration.resources import RunContext, start_of_coverage
from progress_pipeline.reconcile.planning import FilterOn, OpenGap, RepairAsk, plan_repairs
from progress_pipeline.settings import Settings
from progress_pipeline.vendor.answers import CHANGED, COMPLETED, STARTED
from progress_pipeline.vendor.asking import Outcome, carry_out
from progress_pipeline.vendor.ledger import Purpose
from progress_pipeline.vendor.planning import Ask, KnownState, rows_expected
from progress_pipeline.vendor.windows import Window
from progress_pipeline.warehouse.building import build
from progress_pipeline.warehouse.connection import connect
from progress_pipeline.warehouse.deciding import SMALL_ROWS
from progress_pipeline.warehouse.gaps import gaps_to_repair
from progress_pipeline.warehouse.models import Model
from progress_pipeline.warehouse.state import known_state

logger = logging.getLogger(__name__)

REPAIRS = "audit.repairs"
DONE = Outcome("done")
MARGIN = timedelta(days=1)
"""How far past both ends of what is covered a search reaches."""

_FILTERS: dict[str, FilterOn] = {STARTED: "started", COMPLETED: "completed", CHANGED: "last_change"}


def repair_asset(models: Sequence[Model]) -> dg.AssetsDefinition:
    """Make the step that repairs.

    Args:
        models: All models, each after those it reads; what the repair brings is built into them.
    """
    spec = model_specs(tuple(models))[REPAIRS].merge_attributes(deps=[asset_key("audit.gaps")])

    @dg.multi_asset(name="repairs", specs=[spec])
    def repairs(context: dg.AssetExecutionContext, run_context: RunContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
        """Plan the fewest calls that close what is open, ask, load, and take the verdicts again."""
        with run_context.turn() as settings:
            asks, outcome = repair(settings, run_context.clock(), context.run.run_id)
            with connect(settings.warehouse_path) as connection:
                everything = build(connection, models, small_rows=SMALL_ROWS)
                built = [each for each in everything if each.model == REPAIRS]
                metadata = built_metadata(connection, built, models)[REPAIRS]
        return dg.MaterializeResult(
            asset_key=asset_key(REPAIRS),
            metadata={
                **metadata,
                "asked": len(asks),
                "calls": outcome.calls,
                "ended": outcome.how,
                "told": str(outcome.error or ""),
                "asks": as_table([_told(each) for each in asks[:20]]),
            },
        )

    return repairs


def repair(
    settings: Settings, clock: Clock, run_id: str, *, loader: type[Loader] = Loader
) -> tuple[tuple[RepairAsk, ...], Outcome]:
    """Ask the API for what it owes, and load what comes. The models are for the caller to build.

    Args:
        settings: The settings.
        clock: Gives the instant that the run takes as now.
        run_id: The run's name.
        loader: What loads.

    Returns:
        What was asked, and how the asking ended.
    """
    with connect(settings.warehouse_path) as connection:
        gaps = [OpenGap(*row) for row in gaps_to_repair(connection)]
        state = known_state(connection)
    run = run_facts(settings, clock, run_id, "repair")
    return _repair(settings, clock, partial(loader, settings.warehouse_path, run), gaps, state) if gaps else ((), DONE)


def _repair(
    settings: Settings, clock: Clock, loading: Callable[[], Loader], gaps: Sequence[OpenGap], state: KnownState
) -> tuple[tuple[RepairAsk, ...], Outcome]:
    """Plan, ask what is planned, and load what comes."""
    start_at, now = start_of_coverage(settings), clock()
    with loading() as loader, open_vendor(settings, clock) as vendor:
        dates = vendor.answers.filter_dates
        plan = plan_repairs(
            gaps,
            now=now,
            span=Window(min(start_at, now - MARGIN), now + MARGIN),
            calls=vendor.ledger.left(Purpose.REPAIR),
            page_size=vendor.answers.fits(settings.api_page_size),
            rows=partial(rows_expected, state.proven),
            filter_on=_FILTERS[next(iter(dates))] if len(dates) == 1 else None,
        )
        if not plan.asks:
            return (), DONE
        logger.info("repairing: %s asks for %s gaps", len(plan.asks), sum(len(each.gap_ids) for each in plan.asks))
        asks = [
            Ask(Purpose.REPAIR, Window(each.window_start, each.window_end), each.search, each.reason)
            for each in plan.asks
        ]
        work = carry_out(vendor.client, asks, answers=vendor.answers, page_size=settings.api_page_size)
        load_batches(loader, work, calls_since=vendor.ledger.calls_since, start_at=start_at)
    if work.outcome.error is not None:
        logger.warning("not every repair was asked for: %s", work.outcome.error)
    return plan.asks, work.outcome


def _told(ask: RepairAsk) -> dict[str, object]:
    return {
        "from": f"{ask.window_start:%Y-%m-%d %H:%M}",
        "to": f"{ask.window_end:%Y-%m-%d %H:%M}",
        "search": ask.search,
        "gaps": len(ask.gap_ids),
        "reason": ask.reason,
    }
