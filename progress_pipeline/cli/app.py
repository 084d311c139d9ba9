"""The commands by name, and how an error becomes an exit code.

Commands import what they need when they are called, so that `--help` and `status` answer at once.
"""

import os
import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from progress_pipeline.cli import evidence, gaps, running, services, sql, status, trying
from progress_pipeline.errors import ProgressPipelineError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="One complete, audited copy of learning progress in DuckDB, and how far it is complete.",
    epilog="Exit codes: 0 good, 1 failed, 2 wrong use or settings, 3 done but an error-level check failed, "
    "4 stopped in good order because the day's calls are used up, 130 or 143 stopped by Ctrl-C or SIGTERM.",
)
app.command("demo")(trying.demo)
app.command("run")(running.run)
app.command("backfill")(running.backfill)
app.command("probe")(running.probe)
app.command("status")(status.status)
app.add_typer(gaps.app, name="gaps")
app.command("sql")(sql.sql)
app.command("evidence")(evidence.evidence)
app.command("receive")(services.receive)
app.command("sandbox")(trying.sandbox)
app.command("dev")(services.dev)


def _tell_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        typer.echo(version("progress-pipeline"))
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Say which version this is, and end.", callback=_tell_version, is_eager=True),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run a command, and end the process with its exit code.

    The process ends at once. To let go of all that a run imported would take a second more, and of what `starting`
    keeps from that, DuckDB's binding complains in fifty lines.
    """
    try:
        run_command()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        try:
            for stream in filter(None, (sys.stdout, sys.stderr)):  # a scheduler may start it with either closed
                stream.flush()
        except OSError:
            code = code or 1
        os._exit(code)


def run_command() -> None:
    """Run a command. An error of ours ends it with a sentence on standard error and the error's exit code.

    Raises:
        SystemExit: With the exit code, always.
    """
    _speak_in_any_locale(sys.stdout)
    try:
        app()
    except ProgressPipelineError as error:
        typer.echo(f"progress-pipeline: {error}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        typer.echo(f"progress-pipeline: {_told(error)}", err=True)
        sys.exit(1)


def _speak_in_any_locale(out: object) -> None:
    """Let no name end a command because the locale cannot write it; files and programs get UTF-8, as JSON and CSV are.

    A terminal is spoken to in its own encoding, and what that lacks is shown as an escape.
    """
    if not isinstance(out, TextIOWrapper):
        return
    if out.isatty():
        out.reconfigure(errors="backslashreplace")
    else:
        out.reconfigure(encoding="utf-8", errors="surrogateescape")


def _told(error: OSError) -> str:
    """Say what the system refused, and what to do about it."""
    what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    return (
        f"The system refused {what}. Check that PROGRESS_DATA_DIR and the folder of that file can be read and written "
        "and have room, and run again; what is finished stands."
    )
