"""The gaps by name, and closing one by hand."""

from typing import Annotated

import typer

SHOWN = ("gap_id", "kind", "status", "cause", "update_kind", "transaction_id", "registration_id", "opened_at")
WHILE_OPEN = ("open_because", "next_repair_at")

app = typer.Typer(invoke_without_command=True, no_args_is_help=False, help="List the gaps, or close one by hand.")


@app.callback()
def gaps(
    context: typer.Context,
    is_open: Annotated[bool, typer.Option("--open", help="Only those that are open.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000_000, help="Gaps at the most, the newest first.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for a program.")] = False,
) -> None:
    """List the gaps, the newest first."""
    if context.invoked_subcommand is not None:
        return
    from progress_pipeline.cli.terminal import print_json, print_table
    from progress_pipeline.settings import load_settings
    from progress_pipeline.warehouse.connection import connect
    from progress_pipeline.warehouse.gaps import list_gaps

    path = load_settings().published_path
    with connect(path, read_only=True) as connection:
        rows = list_gaps(connection, status="open" if is_open else None, limit=limit)
    if as_json:
        print_json(rows)
    elif not rows:
        typer.echo("No open gaps." if is_open else "No gaps: the two witnesses agree.")
    else:
        print_table([{name: row[name] for name in (*SHOWN, *(WHILE_OPEN if is_open else ()))} for row in rows])


@app.command()
def accept(
    gap_id: Annotated[str, typer.Argument(help="The gap, as `gaps` names it.")],
    why: Annotated[str, typer.Option(help="Why it may stay as it is; kept with the gap.")],
) -> None:
    """Close a gap by hand: from the next run on it counts as accepted, with who, when and why."""
    import getpass

    from progress_pipeline.clock import system_clock
    from progress_pipeline.orchestration.accepting import accept_gap
    from progress_pipeline.settings import load_settings

    accept_gap(load_settings(), gap_id, who=getpass.getuser(), why=why, clock=system_clock)
    typer.echo(f"Accepted {gap_id}. The next run closes it and publishes that.")
