"""What a run is given from outside: its settings and the instant that it takes as now.

Both are read when a step starts, never when the definitions are loaded.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time

import dagster as dg

from progress_pipeline.clock import Clock, frozen_clock, parse_instant, system_clock
from progress_pipeline.errors import ProgressPipelineError
from progress_pipeline.settings import Settings, load_settings
from progress_pipeline.warehouse.locking import writing


class RunContext(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The settings of a run and its clock.

    Attributes:
        as_of: An instant (ISO 8601, UTC where it names no zone) that the run takes as now; empty for the present.
    """

    as_of: str = ""

    def settings(self) -> Settings:
        """Read the settings from the environment and `.env`."""
        return load_settings()

    @contextmanager
    def turn(self) -> Iterator[Settings]:
        """Give a step the settings, and the warehouse to itself.

        Raises:
            dg.Failure: An error of ours came; its sentence is what the UI says first of the step.
        """
        try:
            settings = self.settings()
            with writing(settings.warehouse_path):
                yield settings
        except ProgressPipelineError as error:
            raise dg.Failure(description=str(error), allow_retries=False) from error

    def clock(self) -> Clock:
        """Give the run's clock: the machine's, or one that stands at `as_of`."""
        return frozen_clock(parse_instant(self.as_of)) if self.as_of else system_clock


def start_of_coverage(settings: Settings) -> datetime:
    """Give the first instant to be covered: the start date's midnight in UTC."""
    return datetime.combine(settings.start_date, time(), tzinfo=UTC)
