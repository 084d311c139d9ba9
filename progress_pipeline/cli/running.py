"""Commands that ask the vendor: the daily run, a backfill, the probe."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from progress_pipeline.orchestration.running import Ended

_NEW_OBJECTS = 50_000
"""Objects after which the garbage collector looks; its own 700 come and go with every event of Dagster's."""

AsOf = Annotated[
    str,
    typer.Option(
        "--as-of", metavar="T", help="Take this instant as now: a date, or like 2026-11-23T05:00:00Z (UTC if no zone)."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for a program.")]
Profile = Annotated[bool, typer.Option("--profile", help="Say at the end where the time went, by step.")]


def run(as_of: AsOf = "", as_json: AsJson = False, profile: Profile = False) -> None:
    """Do the daily job: pull what is not covered, land, model, repair, check, publish."""
    _run("daily", as_of, {}, as_json, profile=profile)


def backfill(  # noqa: PLR0913, PLR0917 - each is an option, which typer reads from here
    start: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day to cover (UTC).")],
    end: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day to cover (UTC).")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how many calls and days it takes, and end.")] = False,
    as_of: AsOf = "",
    as_json: AsJson = False,
    profile: Profile = False,
) -> None:
    """Cover a span of days again, or for the first time; says first how many calls it takes."""
    from progress_pipeline.cli.terminal import print_json
    from progress_pipeline.clock import FIRST_YEAR, LAST_YEAR, is_reckonable
    from progress_pipeline.errors import UsageError
    from progress_pipeline.orchestration.estimating import estimate_backfill
    from progress_pipeline.orchestration.resources import RunContext
    from progress_pipeline.settings import load_settings

    if end < start:
        raise UsageError(f"--to {end:%Y-%m-%d} is before --from {start:%Y-%m-%d}; give the earlier day as --from.")
    if not (is_reckonable(start) and is_reckonable(end)):
        raise UsageError(f"--from and --to lie between the years {FIRST_YEAR} and {LAST_YEAR}; correct the year.")
    settings = load_settings()
    settings.require_api()
    estimate = estimate_backfill(settings, RunContext(as_of=as_of).clock(), start, end)
    if as_json and dry_run:
        print_json(estimate)
        return
    typer.echo(estimate.sentence, err=as_json)
    if not dry_run:
        _run("backfill", as_of, {"from_": f"{start:%Y-%m-%d}", "to": f"{end:%Y-%m-%d}"}, as_json, profile=profile)


def probe(as_of: AsOf = "", as_json: AsJson = False) -> None:
    """Spend a few calls to find out how this vendor's API answers the open questions, and write it down."""
    from progress_pipeline.cli.terminal import print_json
    from progress_pipeline.orchestration.probing import calls_of_a_probe, run_probe
    from progress_pipeline.orchestration.resources import RunContext
    from progress_pipeline.orchestration.stopping import stoppable
    from progress_pipeline.settings import load_settings

    settings = load_settings()
    settings.require_api()
    typer.echo(f"The probe spends at most {calls_of_a_probe()} of the day's calls.", err=True)
    with stoppable():
        answers = run_probe(settings, RunContext(as_of=as_of).clock())
    if as_json:
        print_json(answers)
        return
    for answer in answers:
        typer.echo(f"{answer.question}: {answer.answer}. {answer.evidence}")


@contextmanager
def starting() -> Iterator[None]:
    """Keep the garbage collector away from what is imported and stays; to go through it is a fifth of a short run.

    What libraries begin with and is never used here stays away too.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy's threads for matrices turn idly for 0.1 s
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # its command line, with all of pygments
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(_NEW_OBJECTS)
        gc.enable()


def _run(job: str, as_of: str, pull: dict[str, object], as_json: bool, *, profile: bool) -> None:
    from progress_pipeline.cli.terminal import print_json, print_table, progress_of_a_run
    from progress_pipeline.clock import parse_instant, system_clock
    from progress_pipeline.orchestration.stopping import stoppable
    from progress_pipeline.settings import load_settings

    settings = load_settings()
    settings.require_api()
    now = parse_instant(as_of) if as_of else system_clock()
    settings.require_past(now)
    settings.require_begun(now)
    with stoppable():
        with starting():
            # After the settings, since Dagster takes seconds to import.
            from progress_pipeline.orchestration.assembling import build_definitions
            from progress_pipeline.orchestration.history import open_history
            from progress_pipeline.orchestration.running import run_job

            build_definitions()
        with progress_of_a_run(quiet=as_json), open_history(settings) as history:
            ended = run_job(job, history, as_of=as_of, pull=pull)
            spent: list[dict[str, object]] = []
            if profile:
                from progress_pipeline.orchestration.profiling import profile as profile_of

                spent = [asdict(each) for each in profile_of(history, ended, settings)]
    if as_json:
        print_json({**vars(ended), "profile": spent} if profile else ended)
    else:
        tell(ended)
        if spent:
            print_table(spent)
    raise typer.Exit(ended.exit_code)


def tell(ended: "Ended") -> None:
    """Say in a few lines how a run ended."""
    facts = ended.facts
    api, windows, landed = (facts.get(f"raw/{name}", {}) for name in ("api_progress", "api_windows", "webhook_updates"))
    if api:
        typer.echo(
            f"asked    {windows.get('calls', 0)} calls ({windows.get('calls_left', 0)} left today), "
            f"{api.get('records', 0)} records, {api.get('new_rows', 0)} of them new; "
            f"covered until {windows.get('covered_until') or 'nothing yet'}"
        )
    if landed:
        typer.echo(f"landed   {landed.get('deliveries', 0)} deliveries with {landed.get('new_rows', 0)} updates")
    repairs = facts.get("audit/repairs", {})
    if repairs.get("asked"):
        typer.echo(f"repaired {repairs.get('asked')} asks, {repairs.get('calls', 0)} calls: {repairs.get('told', '')}")
    for check in ended.failed_checks:
        typer.echo(f"{check.severity.lower():<8} {check.table}: {check.name}: {check.told}", err=True)
    published = facts.get("published/progress", {})
    if published:
        typer.echo(f"file     {published.get('path')}")
    for sentence in ended.told:
        typer.echo(f"stopped  {sentence}", err=True)
