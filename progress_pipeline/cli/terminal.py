"""How commands speak: JSON for programs, a moving line for people, plain lines for logs."""

import dataclasses
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec
import typer


def print_json(value: object) -> None:
    """Print a value as JSON on standard output."""
    typer.echo(msgspec.json.format(msgspec.json.encode(_plain(value)), indent=2).decode())


def _plain(value: object) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    return value


@contextmanager
def progress_of_a_run(*, quiet: bool) -> Iterator[None]:
    """Show what a run is doing: one moving line where a person looks, plain lines otherwise.

    Args:
        quiet: Show nothing, as the answer is for a program.
    """
    logger = logging.getLogger("progress_pipeline")
    if quiet:
        yield
        return
    if not sys.stderr.isatty():
        handler: logging.Handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        with _attached(logger, handler):
            yield
        return
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("starting") as status, _attached(logger, _Moving(status)):
        yield


class _Moving(logging.Handler):
    """Shows the newest log line only."""

    def __init__(self, status: Any) -> None:
        super().__init__()
        self._status = status

    def emit(self, record: logging.LogRecord) -> None:
        from rich.text import Text

        self._status.update(Text(record.getMessage()))


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
