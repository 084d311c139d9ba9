"""Answers as CSV for a spreadsheet, which would take some texts for formulas.

A name that begins with `=` is run by Excel, LibreOffice and others as soon as the file is opened (CWE-1236). Such a
text gets an apostrophe before it, as somebody would type it; numbers, dates and all other texts stay as they are.
"""

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

_SIGNS, _CONTROLS = ("=", "+", "-", "@"), ("\t", "\r", "\n")
_MARK_OF_UTF_8 = "\ufeff"
"""Without it Excel takes the file for one of an old encoding, and spoils every name that is not English."""


def as_csv(names: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Give rows as CSV: UTF-8 with its mark, lines ended as RFC 4180 has it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([_harmless(name) for name in names])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return f"{_MARK_OF_UTF_8}{text.getvalue()}".encode()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, int | float | Decimal | date):
        return str(value)
    return _harmless(str(value))


def _harmless(text: str) -> str:
    """Let a text stay a text: what begins with a control character, or with a formula's sign after blanks, is marked.

    Full-width signs are signs too; a spreadsheet set to an East Asian language reads them so.
    """
    plain = unicodedata.normalize("NFKC", text.lstrip())
    bare = "".join(mark for mark in plain if unicodedata.category(mark)[0] not in "CZ")
    return f"'{text}" if bare.startswith(_SIGNS) or text.startswith(_CONTROLS) else text
