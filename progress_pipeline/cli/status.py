"""How things stand: coverage, the day's calls, gaps, the last runs. Reads the published file and blocks nobody."""

import sqlite3
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from progress_pipeline.errors import SettingsError, StateError

if TYPE_CHECKING:
    from progress_pipeline.settings import Settings

RUNS_SHOWN = 5
_RUNS = "select pipeline_name, status, start_time, end_time from runs order by id desc limit ?"


def status(
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for a program.")] = False,
) -> None:
    """Say how far the copy is complete, what the day's calls are, which gaps are open and how the last runs ended."""
    from progress_pipeline.cli.terminal import print_json
    from progress_pipeline.settings import load_settings

    settings = load_settings()
    facts: dict[str, Any] = {
        "published": str(settings.published_path) if settings.published_path.exists() else None,
        "standing": _standing(settings.published_path),
        "calls": _calls(settings),
        "runs": _runs(settings.history_path / "history" / "runs.db"),
        "certificate": _certificate(settings.webhook_tls_cert),
        "waiting_alerts": _waiting_alerts(settings.alerts_path),
    }
    if as_json:
        print_json(facts)
    else:
        _tell(facts)


def _standing(published: Path) -> dict[str, Any] | None:
    from progress_pipeline.warehouse.connection import connect
    from progress_pipeline.warehouse.overview import read_overview

    if not published.exists():
        return None
    with connect(published, read_only=True) as connection:
        return asdict(read_overview(connection))


def _calls(settings: "Settings") -> dict[str, Any] | None:
    from progress_pipeline.clock import system_clock
    from progress_pipeline.orchestration.counted import open_ledger
    from progress_pipeline.vendor.answers import Answers
    from progress_pipeline.vendor.staleness import QUESTION, told

    if not settings.ledger_path.exists():
        return None
    with open_ledger(settings, system_clock) as ledger:
        answers = Answers.load(ledger)
        by_age = answers.get(QUESTION)
        return {
            "used": ledger.used(),
            "left": ledger.left(),
            "granted": settings.api_daily_calls,
            "refused_until": ledger.refused_until(),
            "filter_may_be_on": sorted(answers.filter_dates),
            "answers": {finding.question: finding.answer for finding in answers.findings()},
            "unseen_at_most": told(by_age, answers.filter_dates) if by_age else None,
            "alerts": [asdict(alert) for alert in answers.alerts()],
        }


def _runs(history: Path) -> list[dict[str, Any]]:
    """Read the last runs out of Dagster's own history; importing Dagster for this would take a second and a half."""
    if not history.exists():
        return []
    try:
        with closing(sqlite3.connect(f"file:{history}?mode=ro", uri=True)) as connection:
            rows = connection.execute(_RUNS, (RUNS_SHOWN,)).fetchall()
    except sqlite3.Error as error:
        raise StateError(
            f"The history of runs {history} cannot be read: {error}. If it is broken, move {history.parent} away: the "
            "next run begins a new one, and no data is in it."
        ) from error
    return [
        {
            "job": job,
            "status": ended.lower(),
            "started_at": datetime.fromtimestamp(start, UTC) if start else None,
            "seconds": round(end - start, 1) if start and end else None,
        }
        for job, ended, start, end in rows
    ]


def _certificate(path: Path | None) -> dict[str, Any] | None:
    """Tell when the webhook's certificate ends, or why that cannot be told."""
    if path is None:
        return None
    from progress_pipeline.receiver.tls import is_expiring, read_certificate

    try:
        certificate = read_certificate(path)
    except SettingsError as error:
        return {"path": str(path), "not_after": None, "is_expiring": True, "problem": str(error)}
    expiring = is_expiring(certificate, datetime.now(UTC))
    return {"path": str(path), "not_after": certificate.not_after, "is_expiring": expiring, "problem": None}


def _waiting_alerts(outbox: Path) -> list[dict[str, object]]:
    if not outbox.exists():
        return []
    from progress_pipeline.alerting.delivering import waiting

    return waiting(outbox)


def _tell(facts: dict[str, Any]) -> None:
    standing = facts["standing"]
    if standing is None:
        typer.echo("Nothing is published yet. `progress-pipeline run` makes the first file, `demo` shows how it looks.")
    else:
        counts, gaps = standing["counts"], standing["gaps"]
        typer.echo(f"as of      {_instant(standing['as_of'])}")
        typer.echo(f"covered    proven complete up to {_instant(standing['covered_until'])}")
        for mark in standing["watermarks"]:
            until = _instant(mark["agreed_until"]) if mark["agreed_until"] else "no instant"
            gap = f" {mark['held_by_gap_id']}" if mark["held_by_gap_id"] else ""
            typer.echo(f"agreed     {mark['update_kind']:<10} up to {until} (held by {mark['held_by']}{gap})")
        typer.echo(
            f"holds      {counts['registrations']} registrations of {counts['learners']} learners, "
            f"{counts['completions']} completions"
        )
        told = ", ".join(f"{count} {name}" for name, count in gaps.items()) or "none"
        typer.echo(f"gaps       {told}; outages of the webhook: {counts['outages']}")
        typer.echo(f"file       {facts['published']}")
    calls = facts["calls"]
    if calls:
        refused = calls["refused_until"]
        why = f": the vendor refused one more, so none leaves before {_instant(refused)}" if refused else ""
        typer.echo(f"calls      {calls['used']} of {calls['granted']} used, {calls['left']} left{why}")
        typer.echo(f"vendor     its filter is on: {' or '.join(calls['filter_may_be_on'])}; --json tells the rest")
        if calls["unseen_at_most"]:
            typer.echo(f"unseen     {calls['unseen_at_most']}")
        for alert in calls["alerts"][-3:]:
            typer.echo(f"alert      {_instant(alert['found_at'])}: {alert['question']}: {alert['said']}")
    certificate = facts["certificate"]
    if certificate and certificate["problem"]:
        typer.echo(f"cert       {certificate['problem']}")
    elif certificate:
        days = (certificate["not_after"] - datetime.now(UTC)).days
        renew = "; have it renewed" if certificate["is_expiring"] else ""
        typer.echo(
            f"cert       the webhook's certificate ends {_instant(certificate['not_after'])}, in {days} days{renew}"
        )
    for each in facts["waiting_alerts"]:
        typer.echo(
            f"unsent     since {_instant(each['made_at'])}, by {each['channel']}: {each['subject']} "
            f"({each['try_count']} tries, the last: {each['error'] or 'not ended'})"
        )
    for run in facts["runs"]:
        seconds = f" in {run['seconds']} s" if run["seconds"] is not None else ""
        typer.echo(f"run        {run['job']} {run['status']}{seconds}, started {_instant(run['started_at'])}")


def _instant(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC" if instant else "nothing"
