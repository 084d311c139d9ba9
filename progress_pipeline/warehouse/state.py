"""What the warehouse knows that the asking is planned by: what is proven, and where unfinished registrations began."""

from datetime import UTC, datetime

import duckdb

from progress_pipeline.vendor.planning import KnownState, ProvenWindow, StartedDay, UnprovenWindow
from progress_pipeline.vendor.windows import Window

_RELATIONS = """
    select schema_name, table_name from duckdb_tables()
    union all
    select schema_name, view_name from duckdb_views()
"""
# A model is a table or a view, as its YAML says.

_PROVEN = """
    select window_start, window_end, attempted_at, distinct_rows, purpose
    from raw.api_windows
    where is_complete and search is null
    order by attempted_at, window_id
"""

_UNPROVEN = """
    select window_start, window_end, attempted_at
    from raw.api_windows
    where not is_complete and search is null
    order by attempted_at, window_id
"""

_STARTED_DAYS = """
    select
        cast(started_at as date) as day,
        count(*) filter (where not is_completed) as open_count,
        count(*) as total_count
    from marts.fct_progress
    where told_by_api
    group by all
    order by day nulls last
"""


def known_state(connection: duckdb.DuckDBPyConnection) -> KnownState:
    """Read what the asking is planned by; a warehouse with nothing in it knows nothing."""
    relations = {f"{schema}.{table}" for schema, table in connection.execute(_RELATIONS).fetchall()}
    proven: list[ProvenWindow] = []
    unproven: list[UnprovenWindow] = []
    if "raw.api_windows" in relations:
        proven = [
            ProvenWindow(Window(_aware(start), _aware(end)), _aware(attempted), rows, purpose)
            for start, end, attempted, rows, purpose in connection.execute(_PROVEN).fetchall()
        ]
        unproven = [
            UnprovenWindow(Window(_aware(start), _aware(end)), _aware(attempted))
            for start, end, attempted in connection.execute(_UNPROVEN).fetchall()
        ]
    days: list[StartedDay] = []
    undated = 0
    if "marts.fct_progress" in relations:
        for day, open_count, total_count in connection.execute(_STARTED_DAYS).fetchall():
            if day is None:
                undated = open_count
            else:
                days.append(StartedDay(day, open_count, total_count))
    return KnownState(tuple(proven), tuple(unproven), tuple(days), undated)


def _aware(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC)
