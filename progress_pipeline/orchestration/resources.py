"""What a run is given from outside: its settings, the instant that it takes as now, and the warehouse to itself.

All are taken when a step starts, never when the definitions are loaded.
"""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, time
from pathlib import Path

import dagster as dg
from pydantic import Field, PrivateAttr

from progress_pipeline.clock import Clock, frozen_clock, parse_instant, system_clock
from progress_pipeline.errors import ProgressPipelineError, WarehouseBusyError
from progress_pipeline.settings import Settings, load_settings
from progress_pipeline.warehouse.connection import connect
from progress_pipeline.warehouse.locking import WAIT_SECONDS, writing

logger = logging.getLogger(__name__)


class RunContext(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The settings of a run, its clock, and its turn at the warehouse.

    A run has its turn from its first step that needs the warehouse until it ends, so that nobody changes in between
    what it planned by. DuckDB keeps the file open all that time: to open and to close it costs a short run a fifth of
    its work.

    Attributes:
        as_of: An instant (ISO 8601, UTC where it names no zone) that the run takes as now; empty for the present.
    """

    as_of: str = Field(
        default="",
        description="An instant that the run takes as now, like 2026-11-23T05:00:00Z (UTC where it names no zone). "
        "Empty for the present.",
    )
    _turn: ExitStack | None = PrivateAttr(default=None)

    def settings(self) -> Settings:
        """Read the settings from the environment and `.env`."""
        return load_settings()

    @contextmanager
    def turn(self) -> Iterator[Settings]:
        """Give a step the settings, and the run the warehouse to itself from now on.

        Raises:
            dg.Failure: An error of ours came; its sentence is what the UI says first of the step.
        """
        try:
            settings = self.settings()
            if self._turn is None:
                with ExitStack() as taken:
                    _take_warehouse(settings.warehouse_path, taken)
                    taken.enter_context(connect(settings.warehouse_path))
                    self._turn = taken.pop_all()
            yield settings
        except ProgressPipelineError as error:
            raise dg.Failure(description=str(error), allow_retries=False) from error

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:  # noqa: ARG002 - Dagster's signature
        """End the run's turn; Dagster calls this however the run ends."""
        if self._turn is not None:
            self._turn.close()
            self._turn = None

    def clock(self) -> Clock:
        """Give the run's clock: the machine's, or one that stands at `as_of`.

        Raises:
            UsageError: `as_of` is no instant, or one that this vendor cannot tell of yet.
        """
        if not self.as_of:
            return system_clock
        at = parse_instant(self.as_of)
        self.settings().require_past(at)
        return frozen_clock(at)


def _take_warehouse(warehouse: Path, taken: ExitStack) -> None:
    """Hold the warehouse from now on; who has to wait says so first, or the run would seem to hang."""
    try:
        taken.enter_context(writing(warehouse, wait_seconds=0))
    except WarehouseBusyError:
        logger.info("another run or command is writing %s; waiting up to %g seconds for it", warehouse, WAIT_SECONDS)
        taken.enter_context(writing(warehouse))
        logger.info("the warehouse is free, and this run has it now")


def start_of_coverage(settings: Settings) -> datetime:
    """Give the first instant to be covered: the start date's midnight in UTC."""
    return datetime.combine(settings.start_date, time(), tzinfo=UTC)
