"""Commands that stay up until they are stopped: the webhook receiver and Dagster's UI."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer


def receive() -> None:
    """Receive the vendor's webhook over HTTPS, until stopped. Settings: PROGRESS_WEBHOOK_*."""
    from progress_pipeline.receiver.server import serve
    from progress_pipeline.settings import load_settings

    serve(load_settings())


def dev(
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port of the UI on this machine.")] = 3000,
) -> None:
    """Open Dagster's UI on this project, on loopback, with its history under the data folder."""
    from progress_pipeline.orchestration.history import open_history
    from progress_pipeline.settings import load_settings

    with open_history(load_settings()):
        pass  # what cannot be used is said in a sentence of ours, before Dagster's own start says it in a stack trace
    workspace = Path(__file__).parents[2] / "workspace.yaml"
    typer.echo(f"Dagster's UI: http://127.0.0.1:{port}. Stop it with Ctrl-C.")
    sys.stdout.flush()
    program = [sys.executable, "-m", "dagster", "dev", "-w", str(workspace), "-h", "127.0.0.1", "-p", str(port)]
    os.execv(sys.executable, program)  # noqa: S606 - the same Python, with arguments of our own
