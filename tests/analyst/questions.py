"""The page of questions: its SQL is read out of it, and the answers are written below.

python -m tests.analyst.questions   # asks anew, and writes the answers into the page
"""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from tests.analyst.month import play

PAGE = Path(__file__).parents[2] / "docs" / "questions.md"
_QUESTION = re.compile(r"^## (\d+)\. (.+?)$.*?^```sql\n(.+?)^```$", re.MULTILINE | re.DOTALL)
_ANSWER = re.compile(r"(?<=\n```\n)\n(?:\|.*\n)+")


@dataclass(frozen=True)
class Answer:
    """What a query came to."""

    columns: tuple[str, ...]
    rows: list[tuple[object, ...]]


def questions(page: str) -> dict[int, str]:
    """Give the SQL of each question, by its number."""
    return {int(number): sql for number, _, sql in _QUESTION.findall(page)}


def ask(published: Path, sql: str) -> Answer:
    """Ask a published file."""
    connection = duckdb.connect(str(published), read_only=True)
    try:
        cursor = connection.execute(sql)
        return Answer(tuple(column[0] for column in cursor.description or ()), cursor.fetchall())
    finally:
        connection.close()


def answered(page: str, published: Path) -> str:
    """Give the page with the answers that a published file gives."""
    bare = _ANSWER.sub("", page)
    for sql in questions(bare).values():
        block = f"```sql\n{sql}```\n"
        bare = bare.replace(block, f"{block}\n{_table(ask(published, sql))}")
    return bare


def _table(answer: Answer) -> str:
    lines = [answer.columns, ("---",) * len(answer.columns), *answer.rows]
    return "".join(f"| {' | '.join(_cells(line))} |\n" for line in lines)


def _cells(line: Sequence[object]) -> list[str]:
    return [_cell(value).replace("|", "\\|") for value in line]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return str(value)


def main() -> None:
    """Write the answers of the demo's month into the page."""
    with tempfile.TemporaryDirectory(prefix="questions-") as folder:
        text = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(answered(text, play(Path(folder)).published), encoding="utf-8")


if __name__ == "__main__":
    main()
