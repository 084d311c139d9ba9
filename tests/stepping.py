"""Takes the steps of a daily run in this process, by the functions that the assets call, but without Dagster.

Dagster writes down and starts; it decides nothing of what the tables hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from progress_pipeline.clock import frozen_clock
from progress_pipeline.ingest.loading import Loader
from progress_pipeline.orchestration.raw import pull, run_facts
from progress_pipeline.orchestration.repairs import repair
from progress_pipeline.settings import Settings
from progress_pipeline.warehouse.building import build
from progress_pipeline.warehouse.connection import connect
from progress_pipeline.warehouse.models import Model, read_models
from progress_pipeline.warehouse.sql_folder import SQL_FOLDER

Facts = Mapping[str, Mapping[str, Any]]


@cache
def models_of(*names: str) -> tuple[Model, ...]:
    """Read these models and those that they read, each after those it reads; all without a name."""
    models, needed = read_models(SQL_FOLDER), set(names)
    for model in reversed(models):
        if model.name in needed:
            needed.update(model.depends_on)
    return tuple(model for model in models if not names or model.name in needed)


@dataclass(frozen=True)
class Stepper:
    """A pipeline of its own settings.

    Attributes:
        settings: The settings.
        loader: What loads: dlt, or what is quicker.
        models: The models to build, with those that they read; all if none is named.
    """

    settings: Settings
    loader: type[Loader] = Loader
    models: tuple[str, ...] = ()

    def pull(self, now: datetime) -> Facts:
        """Land what was told and ask for what is not covered; gives what the asking said of itself."""
        clock = frozen_clock(now)
        run = run_facts(self.settings, clock, f"{now:%Y%m%d%H%M}", "daily")
        with self.loader(self.settings.warehouse_path, run) as loader:
            return pull(loader, self.settings, clock)

    def build(self) -> None:
        """Bring the models up to date."""
        with connect(self.settings.warehouse_path) as connection:
            build(connection, models_of(*self.models))

    def values(self, sql: str) -> list[tuple[Any, ...]]:
        """Give the rows of a query on the warehouse."""
        with connect(self.settings.warehouse_path) as connection:
            return connection.execute(sql).fetchall()

    def run(self, now: datetime) -> str:
        """Pull, build, repair; gives how the asking ended."""
        told = self.pull(now)
        self.build()
        asks, _ = repair(self.settings, frozen_clock(now), f"{now:%Y%m%d%H%M}", loader=self.loader)
        if asks:
            self.build()
        return str(told["api_windows"]["ended"])
