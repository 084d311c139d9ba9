"""Faults planted on the sandbox, run over, and the named gaps held against them.

Pushes land as files, answers come over HTTP, refusals stand as the receiver's own journal tells them. Dagster has no
part in it, since it decides nothing of this. What is planted, and what must be named for it, is in `planting`.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from progress_pipeline.clock import frozen_clock
from progress_pipeline.ingest.loading import Loader
from progress_pipeline.landing.journal import RefusalJournal, write_journal
from progress_pipeline.sandbox.config import SandboxConfig
from progress_pipeline.sandbox.pushing import Attempt
from progress_pipeline.sandbox.server import Sandbox
from progress_pipeline.settings import load_settings
from progress_pipeline.warehouse.models import read_models
from progress_pipeline.warehouse.sql_folder import SQL_FOLDER
from tests.models.planting import DAYS, FIRST, RUNS, Gap, Plan, Transactions, World, plan
from tests.stepping import Stepper

REFUSED = 401
NAMED = """
    select
        case kind when 'field_mismatch' then 'both' else regexp_extract(kind, '_(.*)', 1) end as owing,
        transaction_id, status, cause
    from audit.gaps
    where status <> 'suspected'
"""


@cache
def audited() -> tuple[str, ...]:
    """Name the models that the audit and the repair need."""
    return ("marts.fct_progress", *(model.name for model in read_models(SQL_FOLDER) if model.schema == "audit"))


@dataclass(frozen=True)
class Verdict:
    """What was named, held against what was planted."""

    planted: frozenset[Gap]
    named: frozenset[Gap]

    @property
    def right(self) -> int:
        """Gaps named as planted, status and cause too."""
        return len(self.planted & self.named)

    @property
    def wrong(self) -> list[str]:
        """What was missed, and what was named wrongly, a line each."""
        return [f"missed {each}" for each in sorted(self.planted - self.named)] + [
            f"named wrongly {each}" for each in sorted(self.named - self.planted)
        ]


class Journal:
    """Lands what the receiver would have written down of the pushes that it refused."""

    def __init__(self, landing: Path) -> None:
        self._landing, self._seen = landing, 0
        self._at = FIRST
        self._journal = RefusalJournal(lambda: self._at)

    def land(self, sandbox: Sandbox) -> None:
        """Write down the refused attempts since the last time."""
        tries = sorted(attempt.at for push in sandbox.truth.pushes() for attempt in push.attempts if _refused(attempt))
        by_minute: dict[datetime, list[datetime]] = defaultdict(list)
        for at in tries[self._seen :]:
            by_minute[at.replace(second=0, microsecond=0)].append(at)
        for minute, attempts in by_minute.items():
            for self._at in attempts:
                self._journal.note("192.0.2.1", 401, "wrong token")
            write_journal(self._landing, self._journal.take(), clock=frozen_clock(minute + timedelta(minutes=1)))
        self._seen = len(tries)


def _refused(attempt: Attempt) -> bool:
    return attempt.outcome.status == REFUSED


@dataclass(frozen=True)
class Play:
    """A world, how the vendor tells it, and the steps over it."""

    seed: int
    transactions: Transactions
    folder: Path
    registrations: int = 250
    loader: type[Loader] = Loader
    switches: Mapping[str, Any] = field(default_factory=dict)

    def judge(self, *faults: str) -> Verdict:
        """Plant faults, run every day, and hold the named gaps against them."""
        with self.running(*faults) as (sandbox, pipeline, made):
            for now in RUNS:
                self.day(sandbox, pipeline, now)
            named = pipeline.values(NAMED)
        return Verdict(frozenset(made.gaps), frozenset((row[0], row[1], row[2], row[3]) for row in named))

    def day(self, sandbox: Sandbox, pipeline: Stepper, now: datetime) -> None:
        """Let time pass up to a run, and run."""
        sandbox.clock.set(now)
        _journal_of(self.landing).land(sandbox)
        pipeline.run(now)

    @property
    def landing(self) -> Path:
        """Where pushes land."""
        return self.folder / "landing" / "webhook"

    @contextmanager
    def running(self, *faults: str) -> Iterator[tuple[Sandbox, Stepper, Plan]]:
        """Start the vendor with faults planted, and give it with the pipeline and the plan."""
        self.landing.mkdir(parents=True)
        config = SandboxConfig(
            seed=self.seed,
            registrations=self.registrations,
            days=DAYS,
            start_at=FIRST,
            transactions=self.transactions,
            push_folder=self.landing,
        )
        with Sandbox(replace(config, **self.switches)) as sandbox:
            made = plan(World(sandbox.truth.updates(to_come=True), self.transactions), self.seed, *faults)
            sandbox.change(
                planted=tuple(made.planted), outages=tuple(made.outages), wrong_push_token=tuple(made.refusing)
            )
            settings = load_settings(
                api_url=sandbox.api_url,
                api_token=sandbox.token,
                data_dir=self.folder,
                start_date=FIRST.date(),
            )
            yield sandbox, Stepper(settings, self.loader, audited()), made


@cache
def _journal_of(landing: Path) -> Journal:
    return Journal(landing)
