"""How commands speak: JSON for programs, a moving line for people, plain lines for logs."""

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import typer

_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What tells a terminal to do something, or to write the other way, in place of showing it."""


def print_json(value: object) -> None:
    """Print a value (dataclasses, instants and paths in it too) as JSON on standard output."""
    typer.echo(msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2).decode())


@contextmanager
def progress_of_a_run(*, quiet: bool, heading: str = "") -> Iterator[None]:
    """Show what a run is doing: one moving line where a person looks, plain lines otherwise.

    Args:
        quiet: Show nothing, as the answer is for a program.
        heading: What the moving line begins with; with one, nothing is shown where nobody looks.
    """
    logger = logging.getLogger("progress_pipeline")
    if quiet:
        yield
        return
    if not sys.stderr.isatty():
        if heading:
            yield
            return
        handler: logging.Handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        with _attached(logger, handler):
            yield
        return
    from rich.console import Console

    console = Console(stderr=True)
    with console.status(heading or "starting") as status, _attached(logger, _Moving(status, heading)):
        yield


class _Moving(logging.Handler):
    """Shows the newest log line only."""

    def __init__(self, status: Any, heading: str) -> None:
        super().__init__()
        self._status = status
        self._heading = f"{heading}: " if heading else ""

    def emit(self, record: logging.LogRecord) -> None:
        from rich.text import Text

        self._status.update(Text(self._heading + record.getMessage()))


@contextmanager
def _attached(logger: logging.Logger, handler: logging.Handler) -> Iterator[None]:
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


def print_table(rows: list[dict[str, Any]]) -> None:
    """Print rows as a table, as wide as the terminal allows; every value as plain text, whatever it looks like.

    Whoever registers writes a name: what in it would steer the terminal is shown as Python writes it.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in rows[0]:
        table.add_column(Text(name), overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if value is None else _STEERING.sub(_shown, str(value))) for value in row.values()))
    # Without a terminal nothing is folded or cut: a log or a program reads whole lines.
    console = Console()
    Console(width=console.width if console.is_terminal else 1000).print(table)


def _shown(steering: re.Match[str]) -> str:
    """Write a character that cannot be seen so that it can."""
    return repr(steering[0])[1:-1]
