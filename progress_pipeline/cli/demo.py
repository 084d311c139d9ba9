"""The demo: a month on the vendor's double, on real parts, told in a screenful.

A vendor's API asked over HTTP, its webhook received over HTTPS, daily runs of the same Dagster job as in earnest. One
afternoon the vendor's sender is silent for some hours, and now and then a push is lost by itself; the daily runs find
it, name it, and the copy ends whole all the same. What came out is held against the sandbox's own truth.
"""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent, indent

import dagster as dg
import duckdb
import trustme
import typer

from progress_pipeline.cli.terminal import print_table, progress_of_a_run
from progress_pipeline.errors import UsageError
from progress_pipeline.orchestration.automation import DAILY
from progress_pipeline.orchestration.history import open_history
from progress_pipeline.orchestration.running import Ended, run_job
from progress_pipeline.receiver.limits import Limits
from progress_pipeline.receiver.server import Receiver
from progress_pipeline.sandbox.config import SandboxConfig, Span
from progress_pipeline.sandbox.server import Sandbox
from progress_pipeline.settings import PREFIX, Settings, load_settings
from progress_pipeline.warehouse.connection import connect
from progress_pipeline.warehouse.overview import read_overview

BEGINS_AT = datetime(2026, 3, 1, tzinfo=UTC)
OUTAGE = Span(BEGINS_AT + timedelta(days=11, hours=10), BEGINS_AT + timedelta(days=11, hours=16))
RUN_HOUR = timedelta(hours=5)
MARK = "progress-pipeline-demo"

VENDOR = SandboxConfig(
    seed=2026, registrations=400, start_at=BEGINS_AT, days=30, shares={"push_lost": 0.004}, outages=(OUTAGE,)
)
"""What happens in the month, and what goes wrong in it."""

VALIDITIES = """\
activity_id,valid_months,valid_days
https://example.invalid/activity/1,,14
https://example.invalid/activity/4,2,
https://example.invalid/activity/5,3,
*,12,
"""
"""How long completions are valid, as somebody would keep it by hand; short, so that some end within the month."""

QUERIES = {
    "Who finished what, lately?": """
        select completed_at, first_name, last_name, activity_title
        from marts.fct_progress
        where is_completed
        order by 1 desc limit 3""",
    "How far do both witnesses agree?": """
        select update_kind, agreed_until, api_covered_until, open_gap_count from audit.watermarks order by 1""",
    "When was the webhook silent, what did it cost, what is still missing?": """
        select started_at, ended_at, updates_lost, still_missing_count from audit.webhook_outages order by 1""",
}


def play(folder: Path, days: int) -> int:
    """Play the demo.

    Args:
        folder: Where its data goes; what an earlier demo left there is removed.
        days: Days to play.

    Returns:
        The exit code.

    Raises:
        UsageError: The folder holds something else than an earlier demo.
    """
    began = time.monotonic()
    _make_room(folder)
    with _stage(folder, days) as (sandbox, settings):
        typer.echo(f"Playing {days} days on a double of the vendor. Its data: {folder}\n")
        with open_history(settings) as history:
            last = _play_days(sandbox, settings, history, days)
        if last is None:
            return 1
        _tell(sandbox, settings, days, time.monotonic() - began)
    return 0


def _make_room(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).exists():
            raise UsageError(f"{folder} holds something else than an earlier demo; give another --folder.")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()


@contextmanager
def _stage(folder: Path, days: int) -> Iterator[tuple[Sandbox, Settings]]:
    """Set up the vendor's double, the receiver that it pushes to, and the settings of the runs."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    paths = {name: folder / "tls" / f"{name}.pem" for name in ("ca", "cert", "key")}
    paths["ca"].parent.mkdir()
    authority.cert_pem.write_to_path(str(paths["ca"]))
    certificate.cert_chain_pems[0].write_to_path(str(paths["cert"]))
    paths["key"].touch(mode=0o600)
    certificate.private_key_pem.write_to_path(str(paths["key"]))
    validities = folder / "validities.csv"
    validities.write_text(VALIDITIES, encoding="utf-8")
    with Sandbox(replace(VENDOR, days=days, push_ca_file=paths["ca"])) as sandbox:
        variables = {
            "API_URL": sandbox.api_url,
            "API_TOKEN": sandbox.token,
            "START_DATE": f"{BEGINS_AT:%Y-%m-%d}",
            "DATA_DIR": str(folder),
            "VALIDITY_FILE": str(validities),
            "WEBHOOK_TOKEN_NAME": sandbox.config.push_token_name,
            "WEBHOOK_TOKEN_VALUE": sandbox.push_token,
            "WEBHOOK_PORT": "0",
            "WEBHOOK_TLS_CERT": str(paths["cert"]),
            "WEBHOOK_TLS_KEY": str(paths["key"]),
        }
        with _environment({PREFIX + name: value for name, value in variables.items()}):
            yield sandbox, load_settings()


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Set the demo's settings for the time of the demo, in place of whatever stands in the environment."""
    before = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    for name in before:
        del os.environ[name]
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            os.environ.pop(name, None)
        os.environ.update(before)


def _play_days(sandbox: Sandbox, settings: Settings, history: dg.DagsterInstance, days: int) -> Ended | None:
    """Let each day happen, with its pushes, and run at its end; None if a run failed."""
    ended: Ended | None = None
    for day in range(1, days + 1):
        now = BEGINS_AT + timedelta(days=day) + RUN_HOUR
        with Receiver(settings, clock=sandbox.clock, limits=Limits(seal_seconds=0.2)) as receiver:
            sandbox.change(push_url=receiver.url)
            sandbox.clock.set(now)
        with progress_of_a_run(quiet=False, heading=f"day {day} of {days}"):
            ended = run_job(DAILY, history, as_of=now.isoformat())
        if ended.exit_code == 1 or not ended.facts.get("published/progress"):
            for sentence in ended.told:
                typer.echo(f"day {day} failed: {sentence}", err=True)
            return None
        _tell_day(now, ended)
    return ended


def _tell_day(now: datetime, ended: Ended) -> None:
    facts = ended.facts
    api, windows = facts["raw/api_progress"], facts["raw/api_windows"]
    warned = ", ".join(f"{check.name} ({check.severity.lower()})" for check in ended.failed_checks)
    typer.echo(
        f"{now:%a %d %b}  {windows['calls']:>2} calls  {api['new_rows']:>4} new from the API  "
        f"{facts['raw/webhook_updates']['new_rows']:>4} pushed  {warned or 'all checks passed'}"
    )


def _tell(sandbox: Sandbox, settings: Settings, days: int, seconds: float) -> None:
    """Say in a screenful what happened, against the sandbox's truth, and what to try."""
    truth = sandbox.truth.summary()
    with connect(settings.published_path, read_only=True) as connection:
        standing = read_overview(connection)
        counts, gaps = standing.counts, standing.gaps
        lines = {
            "happened": f"{truth.update_count} updates on {truth.registration_count} registrations",
            "told": f"{truth.delivered_update_count} by webhook; {sum(truth.lost.values())} were lost on the way",
            "asked": f"{truth.call_count} calls to the API over {days} days, of 500 a day",
            "held": f"{counts['registrations']} of {truth.registration_count} registrations, "
            f"{counts['completions']} of {truth.completed_count} completions",
            "gaps": f"{sum(gaps.values())} found, {gaps.get('repaired', 0)} of them repaired from the API, "
            f"{gaps.get('open', 0)} open, {gaps.get('suspected', 0)} suspected",
            "file": f"{settings.published_path}",
        }
        typer.echo(f"\n{days} days in {seconds:.0f} s\n")
        for name, told in lines.items():
            typer.echo(f"{name:<10} {told}")
        typer.echo("")
        for question, sql in QUERIES.items():
            _answer(connection, question, dedent(sql).strip())
    typer.echo(f"Try more:  {_shell()} -readonly {settings.published_path}")


def _shell() -> str:
    """Give the shell that a person can try more with: on the path, or beside this Python, where `make` put one."""
    beside = Path(sys.executable).with_name("duckdb")
    return str(beside) if beside.exists() and not shutil.which("duckdb") else "duckdb"


def _answer(connection: duckdb.DuckDBPyConnection, question: str, sql: str) -> None:
    typer.echo(f"{question}\n{indent(sql, '  ')}")
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    if rows:
        print_table(rows)
    typer.echo("")
