"""The SQL checks: one SELECT a file, whose rows are failures.

What a check means and what to do when it fails stands in `checks/_models.yml`. When checks run, and what a failure
stops, is decided by who calls.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import duckdb

from progress_pipeline.errors import ModelError
from progress_pipeline.warehouse.metadata import CheckEntry, Metadata, read_metadata
from progress_pipeline.warehouse.sql_text import SqlText, read_sql

CHECKS = "checks"
SAMPLE_ROWS = 20


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        name: The file's name, without its ending.
        model: The table it is about.
        path: The file.
        severity: error or warn.
        is_blocking: Whether what comes after the table must not be made when the check fails.
        description: What is asserted.
        what_to_do: What to do when it fails.
    """

    name: str
    model: str
    path: Path
    text: SqlText = field(repr=False, compare=False)
    severity: Literal["error", "warn"]
    is_blocking: bool
    description: str
    what_to_do: str

    @property
    def sql(self) -> str:
        """The SELECT, verbatim."""
        return self.text.text

    @property
    def depends_on(self) -> tuple[str, ...]:
        """The tables that the SELECT names, sorted."""
        return tuple(reference.name for reference in self.text.references)


@dataclass(frozen=True)
class CheckResult:
    """What came of a check.

    Attributes:
        check: The check.
        failing_count: How many rows it found.
        rows: The first of them, at most `SAMPLE_ROWS`, by column name.
    """

    check: Check
    failing_count: int
    rows: tuple[dict[str, object], ...]

    @property
    def has_passed(self) -> bool:
        """Whether nothing was found."""
        return self.failing_count == 0


def read_checks(folder: Path) -> tuple[Check, ...]:
    """Read all checks below a folder, by name.

    Args:
        folder: The folder that holds `checks`.

    Raises:
        ModelError: A file is no single SELECT or has no entry in the YAML, or an entry has no file.
    """
    metadata = read_metadata(folder / CHECKS)
    files = {path.stem: path for path in sorted((folder / CHECKS).glob("*.sql"))}
    for name in metadata.checks:
        if name not in files:
            raise ModelError(f"{metadata.where(name)}: there is no {CHECKS}/{name}.sql for this entry.")
    return tuple(_check(name, path, metadata) for name, path in files.items())


def run_check(connection: duckdb.DuckDBPyConnection, check: Check) -> CheckResult:
    """Run a check, without changing anything.

    Raises:
        ModelError: Its SQL failed.
    """
    sql = (
        f"with failing as materialized (\n{check.sql}\n)\n"
        f"select (select count(*) from failing) as failing_count, failing.* from failing limit {SAMPLE_ROWS}"
    )
    try:
        cursor = connection.execute(sql)
        names = [column[0] for column in cursor.description or ()][1:]
        rows = cursor.fetchall()
    except duckdb.Error as error:
        raise ModelError(f"{check.path}: the check {check.name} failed to run: {error}") from error
    samples = tuple(dict(zip(names, row[1:], strict=True)) for row in rows)
    return CheckResult(check, failing_count=rows[0][0] if rows else 0, rows=samples)


def _check(name: str, path: Path, metadata: Metadata) -> Check:
    entry: CheckEntry | None = metadata.checks.get(name)
    if entry is None:
        raise ModelError(f"{path}:1: the check {name} has no entry in {metadata.path}.")
    return Check(
        name=name,
        model=entry.model,
        path=path,
        text=read_sql(path),
        severity=entry.severity,
        is_blocking=entry.blocking,
        description=" ".join(entry.description.split()),
        what_to_do=" ".join(entry.what_to_do.split()),
    )
