"""The gaps for those who act on them: what the repair plans by, what a person lists."""

from datetime import UTC, datetime
from typing import Any

import duckdb

_TO_REPAIR = """
    select
        gaps.gap_id,
        gaps.registration_id,
        gaps.update_kind,
        gaps.changed_before,
        progress.started_at,
        progress.completed_at,
        gaps.repair_attempt_count,
        gaps.next_repair_at
    from audit.gaps as gaps
    left join marts.fct_progress as progress on gaps.registration_id = progress.registration_id
    where gaps.status = 'open' and gaps.kind in ('missing_api', 'behind_api')
    order by gaps.gap_id
"""

_LISTED = """
    select
        gap_id, kind, status, cause, update_kind, transaction_id, registration_id, first_seen_at, opened_at, closed_at,
        told_by_call_id, differing_fields, accepted_because, is_recovered, open_because, next_repair_at
    from audit.gaps
    where $status is null or status = $status
    order by first_seen_at desc, gap_id
    limit $limit
"""


def gaps_to_repair(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    """Give the open gaps that the API owes an answer to.

    Returns:
        Rows of gap_id, registration_id, update_kind, told_at, started_at, completed_at, attempt_count, next_try_at;
        instants are aware.
    """
    return [tuple(map(_aware, row)) for row in connection.execute(_TO_REPAIR).fetchall()]


def list_gaps(connection: duckdb.DuckDBPyConnection, *, status: str | None, limit: int) -> list[dict[str, Any]]:
    """Give gaps by name, the newest first.

    Args:
        connection: To the warehouse or the published file.
        status: suspected, open, repaired or accepted; None for all.
        limit: Rows at the most.
    """
    cursor = connection.execute(_LISTED, {"status": status, "limit": limit})
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _aware(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def gap_status(connection: duckdb.DuckDBPyConnection, gap_id: str) -> str | None:
    """Give the status of a gap, or None if there is none of that name."""
    rows = connection.execute("select status from audit.gaps where gap_id = $1", [gap_id]).fetchall()
    return rows[0][0] if rows else None
