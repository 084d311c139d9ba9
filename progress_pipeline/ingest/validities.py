"""How long completions are valid: a small CSV that somebody keeps by hand, brought into raw whenever it changes.

Its header is `activity_id,valid_months,valid_days`. A line gives months or days; `*` stands for every activity that has
no line of its own. Without a file, or with an empty one, nothing expires.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

from progress_pipeline.errors import SettingsError
from progress_pipeline.ingest.loading import Loader
from progress_pipeline.ingest.raw_tables import ACTIVITY_VALIDITIES
from progress_pipeline.ingest.rows import arrow

HEADER = ("activity_id", "valid_months", "valid_days")
LONGEST = 100_000
"""Days or months, beyond which a number is a slip of the hand."""

Validity = tuple[str, int | None, int | None]

_KNOWN = """
    select activity_id, valid_months, valid_days
    from raw.activity_validities
    where load_number = (select max(load_number) from raw.activity_validities)
    order by position
"""


def carry_validities(loader: Loader, path: Path | None) -> int:
    """Let the next load take the file's lines along, if they are not those that raw has already.

    Returns:
        The rows that it will take along.

    Raises:
        SettingsError: The file cannot be read, or a line of it is wrong; the message names it.
    """
    lines = list(read_validities(path)) if path is not None else []
    with loader.query() as connection:
        known = [tuple(row) for row in connection.execute(_KNOWN).fetchall()]
    if lines == [row for row in known if row[0] is not None]:
        return 0
    rows = [
        {**dict(zip(HEADER, line, strict=True)), "position": position, "load_number": loader.load_number}
        for position, line in enumerate(lines or [(None, None, None)])
    ]
    loader.carry([(ACTIVITY_VALIDITIES, arrow(ACTIVITY_VALIDITIES, rows))])
    return len(rows)


def read_validities(path: Path) -> Iterator[Validity]:
    """Read the file.

    Raises:
        SettingsError: It cannot be read, or a line of it is wrong; the message names it.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SettingsError(f"The file of validities cannot be read: {path}: {error}") from error
    if lines and tuple(cell.strip() for cell in lines[0]) != HEADER:
        raise SettingsError(f"{path}:1: the first line of the file of validities must be `{','.join(HEADER)}`.")
    seen: set[str] = set()
    for number, cells in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(HEADER):
            raise SettingsError(f"{path}:{number}: {len(cells)} cells, where {','.join(HEADER)} are three.")
        activity, months, days = (cell.strip() for cell in cells)
        if not activity or activity in seen:
            raise SettingsError(f"{path}:{number}: every line names one activity, and no two the same.")
        if bool(months) == bool(days):
            raise SettingsError(f"{path}:{number}: {activity} needs either months or days.")
        seen.add(activity)
        yield activity, _whole(months, path, number), _whole(days, path, number)


def _whole(text: str, path: Path, number: int) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= LONGEST):
        raise SettingsError(f"{path}:{number}: {text!r} is no number of months or days.")
    return int(text)
