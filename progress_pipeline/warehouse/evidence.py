"""What the warehouse holds for or against one verdict, or of a span of time: rows of `raw` and `audit`, by section.

Only what was told and what was done stands here; what follows from it is worded in `reconcile.reasoning`, and whether
the bytes behind it are still there is looked at by who calls.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias

import duckdb

Rows: TypeAlias = list[dict[str, Any]]
Sections: TypeAlias = dict[str, Rows]

_TELLINGS = """
    from intermediate.int_tellings_unioned as tellings
    inner join audit.gaps as gaps
        on tellings.registration_id = gaps.registration_id and tellings.transaction_id = gaps.transaction_id
    where gaps.gap_id = $gap_id
"""

_WINDOWS = f"""
    select distinct windows.*
    from raw.api_windows as windows
    cross join (select * from audit.gaps where gap_id = $gap_id) as gaps
    left join (select distinct tellings.call_id {_TELLINGS}) as told
        on told.call_id between windows.first_call_id and windows.last_call_id
    where
        told.call_id is not null
        or gaps.told_by_call_id between windows.first_call_id and windows.last_call_id
        or (
            gaps.kind in ('missing_api', 'behind_api')
            and windows.attempted_at >= gaps.first_seen_at
            and windows.attempted_at <= coalesce(gaps.closed_at, windows.attempted_at)
            and (
                windows.search = gaps.registration_id
                or (
                    windows.search is null
                    and windows.window_start <= gaps.changed_before and windows.window_end > gaps.changed_before
                )
            )
        )
    order by windows.attempted_at, windows.window_id
    limit 100
"""

_DELIVERIES = f"""
    with gaps as (select * from audit.gaps where gap_id = $gap_id),
    outages as (
        select outages.* from audit.webhook_outages as outages inner join gaps on outages.outage_id = gaps.outage_id
    ),
    silence as (
        select
            coalesce(outages.started_at, gaps.changed_after) as silent_from,
            coalesce(outages.ended_at, gaps.changed_before) as silent_until
        from gaps left join outages on true
        where gaps.kind in ('missing_webhook', 'behind_webhook')
    ),
    named as (
        select tellings.delivery_id, 'told it' as role {_TELLINGS} and tellings.delivery_id is not null
        union
        (
            select delivery_id, 'the last before' as role
            from raw.webhook_deliveries as deliveries, silence
            where deliveries.received_at <= silence.silent_from
            order by deliveries.received_at desc, delivery_id limit 1
        )
        union
        (
            select delivery_id, 'the first after' as role
            from raw.webhook_deliveries as deliveries, silence
            where deliveries.received_at >= silence.silent_until
            order by deliveries.received_at, delivery_id limit 1
        )
    )
    select named.role, deliveries.*
    from raw.webhook_deliveries as deliveries inner join named on deliveries.delivery_id = named.delivery_id
    order by deliveries.received_at, deliveries.delivery_id, named.role
"""

_OF_A_GAP = {
    "gap": "select * from audit.gaps where gap_id = $gap_id",
    "verdict": """
        select reconciliation.*
        from audit.reconciliation as reconciliation
        inner join audit.gaps as gaps
            on reconciliation.registration_id = gaps.registration_id
            and reconciliation.transaction_id = gaps.transaction_id
        where gaps.gap_id = $gap_id
    """,
    "outage": """
        select outages.*
        from audit.webhook_outages as outages inner join audit.gaps as gaps on outages.outage_id = gaps.outage_id
        where gaps.gap_id = $gap_id
    """,
    "tellings": f"""
        select tellings.* {_TELLINGS}
        order by tellings.told_at, tellings.witness, tellings.call_id, tellings.delivery_id, tellings.position
    """,
    "deliveries": _DELIVERIES,
    "windows": _WINDOWS,
    "calls": f"""
        with windows as ({_WINDOWS})
        select distinct calls.*
        from raw.api_calls as calls
        inner join windows on calls.call_id between windows.first_call_id and windows.last_call_id
        order by calls.call_id
    """,
    "refusals": """
        select refusals.*
        from raw.webhook_refusals as refusals
        inner join audit.gaps as gaps
            on gaps.changed_after <= coalesce(refusals.until_at, refusals.refused_at)
            and seconds_after(gaps.changed_before, 600) >= refusals.refused_at
        where gaps.gap_id = $gap_id
        order by refusals.refused_at, refusals.refusal_id
    """,
    "rejects": """
        select rejects.*
        from raw.rejects as rejects
        inner join audit.gaps as gaps on instr(lower(rejects.raw_text), lower(gaps.registration_id)) > 0
        where gaps.gap_id = $gap_id
        order by rejects.observed_at, rejects.reject_id
    """,
    "acceptances": "select * from raw.gap_acceptances where gap_id = $gap_id",
    "runs": """
        select distinct runs.run_id, runs.as_of, runs.purpose, runs.settle_minutes
        from raw.runs as runs inner join audit.gaps as gaps on runs.as_of = gaps.opened_at
        where gaps.gap_id = $gap_id
        order by all
    """,
}

_OF_A_SPAN = {
    "days": "select * from audit.coverage_daily where day_utc >= $start and day_utc < $end order by day_utc",
    "watermarks": "select * from audit.watermarks order by update_kind",
    "windows": """
        select * from raw.api_windows
        where search is null and window_start < $end and window_end > $start
        order by attempted_at, window_id
    """,
    "calls": """
        select distinct calls.*
        from raw.api_calls as calls
        inner join raw.api_windows as windows on calls.call_id between windows.first_call_id and windows.last_call_id
        where windows.search is null and windows.window_start < $end and windows.window_end > $start
        order by calls.call_id
    """,
    "deliveries": """
        select * from raw.webhook_deliveries
        where received_at >= $start and received_at < $end
        order by received_at, delivery_id
    """,
    "refusals": """
        select * from raw.webhook_refusals
        where refused_at < $end and coalesce(until_at, refused_at) >= $start
        order by refused_at, refusal_id
    """,
    "rejects": "select * from raw.rejects where observed_at >= $start and observed_at < $end order by all",
    "outages": """
        select * from audit.webhook_outages
        where started_at < $end and (ended_at is null or ended_at >= $start)
        order by started_at
    """,
    "gaps": """
        select * from audit.gaps
        where changed_before >= $start and changed_before < $end
        order by changed_before, gap_id
    """,
}


def evidence_of_gap(connection: duckdb.DuckDBPyConnection, gap_id: str) -> Sections | None:
    """Give what stands behind the verdict on a gap; None if there is no such gap.

    Args:
        connection: To the warehouse, which has `raw`.
        gap_id: The gap, or the beginning of its name if no other begins so.
    """
    names = connection.execute(
        "select gap_id from audit.gaps where starts_with(gap_id, $gap_id) limit 2", {"gap_id": gap_id}
    ).fetchall()
    if len(names) != 1:
        return None
    return {name: _rows(connection, sql, {"gap_id": names[0][0]}) for name, sql in _OF_A_GAP.items()}


def evidence_of_span(connection: duckdb.DuckDBPyConnection, start: datetime, end: datetime) -> Sections:
    """Give what was asked, answered, delivered and refused of a span.

    Args:
        connection: To the warehouse, which has `raw`.
        start: Its start, UTC without a zone, inclusive.
        end: Its end, exclusive.
    """
    return {name: _rows(connection, sql, {"start": start, "end": end}) for name, sql in _OF_A_SPAN.items()}


def landed_files(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, str]]:
    """Give the identity and kind of each landed file that was read, by its path."""
    rows = connection.execute("select file, file_id, kind from raw.webhook_files order by load_number").fetchall()
    return {file: (file_id, kind) for file, file_id, kind in rows}


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, object]) -> Rows:
    cursor = connection.execute(sql, {name: value for name, value in values.items() if f"${name}" in sql})
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
