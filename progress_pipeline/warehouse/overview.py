"""How things stand, in a few numbers, read from the published file: for `status` and for people."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

_COUNTS = """
    select
        (select count(*) from marts.fct_progress) as registrations,
        (select count(*) from marts.fct_completions) as completions,
        (select count(*) from marts.dim_learners) as learners,
        (select count(*) from audit.webhook_outages) as outages
"""
_GAPS = "select status, count(*) from audit.gaps group by status order by status"
_WATERMARKS = """
    select update_kind, agreed_until, held_by, held_by_gap_id, as_of, api_covered_until
    from audit.watermarks
    order by update_kind
"""


@dataclass(frozen=True)
class Watermark:
    """Up to when both witnesses agree on one kind of update, and what it stands at."""

    update_kind: str
    agreed_until: datetime | None
    held_by: str
    held_by_gap_id: str | None


@dataclass(frozen=True)
class Overview:
    """How things stand.

    Attributes:
        as_of: The instant of the newest run, UTC.
        covered_until: End of unbroken proven coverage, UTC.
        counts: Registrations, completions, learners and outages.
        gaps: Gaps by status.
        watermarks: One for each kind of update.
    """

    as_of: datetime | None
    covered_until: datetime | None
    counts: dict[str, int]
    gaps: dict[str, int]
    watermarks: tuple[Watermark, ...]


def read_overview(connection: duckdb.DuckDBPyConnection) -> Overview:
    """Read how things stand from the published file."""
    cursor = connection.execute(_COUNTS)
    names = [column[0] for column in cursor.description or ()]
    counts = dict(zip(names, cursor.fetchall()[0], strict=True))
    gaps = dict(connection.execute(_GAPS).fetchall())
    marks: list[tuple[Any, ...]] = connection.execute(_WATERMARKS).fetchall()
    return Overview(
        as_of=marks[0][4] if marks else None,
        covered_until=marks[0][5] if marks else None,
        counts=counts,
        gaps=gaps,
        watermarks=tuple(Watermark(*mark[:4]) for mark in marks),
    )
