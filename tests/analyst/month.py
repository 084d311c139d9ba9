"""The demo's month played in some seconds: the same vendor, the same daily pulls, and one build at the end.

A build of all loads at once makes the tables that daily builds make, and no gap of this month needs a call to be
repaired; so what is published is what the demo publishes.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from progress_pipeline.cli.demo import BEGINS_AT, RUN_HOUR, VALIDITIES, VENDOR
from progress_pipeline.sandbox.server import Sandbox
from progress_pipeline.sandbox.truth import UpdateTruth
from progress_pipeline.settings import load_settings
from progress_pipeline.warehouse.publishing import Form, publish
from tests.models.plain_loading import PlainLoader
from tests.stepping import Stepper, models_of


@dataclass(frozen=True)
class Month:
    """A published file, and the truth that it tells of.

    Attributes:
        published: The file; `parquet` stands beside it.
        warehouse: What it was published from.
        as_of: The instant of the last run.
        updates: Everything that happened, in order.
    """

    published: Path
    warehouse: Path
    as_of: datetime
    updates: list[UpdateTruth]


def play(folder: Path) -> Month:
    """Play the month, a run a day, and publish.

    Args:
        folder: Where its data goes; there and empty.
    """
    landing = folder / "landing" / "webhook"
    landing.mkdir(parents=True)
    validities = folder / "validities.csv"
    validities.write_text(VALIDITIES, encoding="utf-8")
    with Sandbox(replace(VENDOR, push_folder=landing)) as sandbox:
        settings = load_settings(
            api_url=sandbox.api_url,
            api_token=sandbox.token,
            data_dir=folder,
            start_date=BEGINS_AT.date(),
            validity_file=validities,
        )
        pipeline = Stepper(settings, PlainLoader)
        now = BEGINS_AT
        for day in range(1, VENDOR.days + 1):
            now = BEGINS_AT + timedelta(days=day) + RUN_HOUR
            sandbox.clock.set(now)
            pipeline.pull(now)
        pipeline.build()
        updates = sandbox.truth.updates()
    publish(settings.warehouse_path, settings.published_path, models_of(), as_of=now, form=Form(has_parquet=True))
    return Month(settings.published_path, settings.warehouse_path, now, updates)
