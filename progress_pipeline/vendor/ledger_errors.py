"""What SQLite says of the calls ledger's file, as an error of ours with what to do about it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from progress_pipeline.errors import StateError


@contextmanager
def as_our_errors(ledger: Path) -> Iterator[None]:
    """Turn SQLite's exceptions into ours while the ledger is open.

    Raises:
        StateError: The file cannot be used. No call leaves that could not be counted.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise StateError(
            f"The calls ledger {ledger} cannot be used: {error}. No call leaves uncounted, so nothing was asked. Check "
            "that its folder can be written and has room; if the file is broken, bring it back from a copy, or move it "
            "away after the vendor's day is over (a new one knows of no calls)."
        ) from error
