"""The evidence behind one verdict or of a span of days, for a dispute with the vendor."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from progress_pipeline.orchestration.evidencing import Evidence

SHOWN = 12
"""Rows of a section that people are shown; programs and copies get all."""

COLUMNS = {
    "tellings": ("witness", "told_at", "progress_percent", "is_completed", "call_id", "delivery_id"),
    "deliveries": ("role", "delivery_id", "received_at", "file", "line", "sha256"),
    "windows": ("purpose", "attempted_at", "window_start", "window_end", "search", "is_complete", "proof", "reason"),
    "calls": ("call_id", "purpose", "counted_at", "http_status", "row_count", "vendor_count", "sha256"),
    "refusals": ("refused_at", "until_at", "refusal_count", "http_status", "reason", "client"),
    "rejects": ("source", "observed_at", "reason", "call_id", "delivery_id"),
    "outages": ("outage_id", "started_at", "ended_at", "cause", "updates_lost"),
    "gaps": ("gap_id", "kind", "status", "cause", "update_kind", "transaction_id", "changed_before"),
    "days": ("day_utc", "is_proven_complete", "api_count", "webhook_count", "matched_count", "unresolved_count"),
}


def evidence(
    gap: Annotated[str, typer.Option(help="The gap, as `gaps` names it, or the beginning of its name.")] = "",
    start: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day of a span (UTC).")
    ] = None,
    end: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day of the span.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Copy pages and bodies into this new folder, with a manifest and SHA256SUMS."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for a program.")] = False,
) -> None:
    """Gather what a verdict rests on: deliveries, calls, pages with their hashes, refusals and the reasoning."""
    from progress_pipeline.cli.terminal import print_json
    from progress_pipeline.errors import UsageError
    from progress_pipeline.orchestration.evidencing import gather_for_gap, gather_for_span
    from progress_pipeline.settings import load_settings

    if bool(gap) == bool(start or end):
        raise UsageError("Give either --gap, or --from and --to.")
    settings = load_settings()
    if gap:
        found = gather_for_gap(settings, gap, out)
    else:
        first, last = start or end, end or start
        assert first is not None and last is not None  # noqa: S101, PT018 - one of the two was given
        found = gather_for_span(settings, first.date(), last.date(), out)
    if as_json:
        print_json(found)
    else:
        _tell(found, out)


def _tell(found: "Evidence", out: Path | None) -> None:
    from progress_pipeline.cli.terminal import print_table

    typer.echo(f"Evidence on {found.subject}\n")
    for sentence in found.reasoning:
        typer.echo(f"- {sentence}")
    for name, rows in found.sections.items():
        if name in COLUMNS and rows:
            more = f", the first {SHOWN}" if len(rows) > SHOWN else ""
            typer.echo(f"\n{name} ({len(rows)}{more})")
            print_table([_shown(row, COLUMNS[name]) for row in rows[:SHOWN]])
    if found.files:
        by = {how: sum(each.found == how for each in found.files) for how in ("as told", "differs", "not kept")}
        told = ", ".join(f"{count} {how}" for how, count in by.items() if count)
        typer.echo(f"\n{len(found.files)} pages and bodies, held against the hashes of when they came: {told}")
    if out is not None:
        typer.echo(f"Copied to {out}; `cd {out} && sha256sum -c SHA256SUMS` checks the copies.")


def _shown(row: dict[str, Any], columns: tuple[str, ...]) -> dict[str, Any]:
    return {name: row[name] for name in columns if name in row}
