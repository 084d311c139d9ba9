"""Commands for whoever has no vendor yet: the demo, and the vendor's double by itself."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    days: Annotated[int, typer.Option(min=30, max=365, help="Days to play.")] = 30,
    folder: Annotated[Path, typer.Option(help="Where the demo keeps its data; emptied first.")] = Path("data/demo"),
) -> None:
    """Play a month on the vendor's double: daily runs, an outage, lost pushes, the repair, a published file."""
    from progress_pipeline.cli.demo import play

    raise typer.Exit(play(folder, days))


def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port of its API; 0 lets the system choose.")] = 0,
    control_port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port of its control address; 0 lets the system choose.")
    ] = 0,
    switches: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="SWITCH=VALUE", help="Set a switch; may be given often."),
    ] = None,
) -> None:
    """Run the vendor's double by itself, until stopped; every open question of the vendor's page is a switch."""
    from progress_pipeline.sandbox.config import SandboxConfig
    from progress_pipeline.sandbox.server import serve
    from progress_pipeline.sandbox.switches import read_assignments

    assigned = read_assignments([f"api_port={port}", f"control_port={control_port}", *(switches or [])])
    serve(SandboxConfig(**assigned))
