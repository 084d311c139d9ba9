"""The gaps that some run opened, for those who tell of them. No person and no value of theirs is in what this gives."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb

_STANDING = """
    select gap_id, status in ('repaired', 'accepted') as is_closed, cause = 'late' as is_late
    from audit.gaps
    where opened_at is not null
"""

_FACTS = """
    select
        gap_id, kind, status, cause, update_kind, transaction_id, opened_at, closed_at, outage_id, is_overdue
    from audit.gaps
    where gap_id in (select unnest($1))
"""


def opened_gaps(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, bool, bool]]:
    """Give each gap that some run opened, with whether it is closed and whether it was only late."""
    return connection.execute(_STANDING).fetchall()


def facts_of_gaps(connection: duckdb.DuckDBPyConnection, gap_ids: Sequence[str]) -> list[tuple[Any, ...]]:
    """Give gap_id, kind, status, cause, update_kind, transaction_id, opened_at, closed_at, outage_id, is_overdue.

    Args:
        connection: To the warehouse.
        gap_ids: Which gaps.

    Returns:
        Rows; instants are aware.
    """
    return [tuple(map(_aware, row)) for row in connection.execute(_FACTS, [list(gap_ids)]).fetchall()]


def _aware(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
