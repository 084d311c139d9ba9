"""What the report tells, read from the published file.

A file without personal data lacks columns and tables; what needs them is left out here, and on the page.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

DAYS_SHOWN = 60
WEEKS_SHOWN = 52
ROWS_SHOWN = 15

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Told:
    """What the report tells.

    Attributes:
        facts: `readme`, by topic.
        as_of: The instant that it is true for.
        counts: Learners, registrations and completions; no learners where they are not told apart.
        watermarks: Kind, agreed until, what holds it.
        gaps: How many there are of each status.
        missing: Open and suspected gaps, the oldest first.
        is_weekly: Whether `happened` is by week.
        happened: First day, started, progressed, completed.
        funnel: Registrations at each step.
        cohorts: Week, rate, completed, registrations, and how many came how far.
        activities: The largest: title, rate, completed, registrations, days (median, 90th percentile), waiting, idle.
        activity_count: How many there are.
        has_validities: Whether anything expires.
        certificates: How many there are of each state.
        due: Certificates that end next: who, what, until when, days left.
        idle: Who stands still for longest: who, what, days, progress, since when.
        health: Day, changes told by the webhook, changes that it owed.
        outages: From, to, cause, lost, still missing; the newest first.
    """

    facts: dict[str, str]
    as_of: datetime
    counts: dict[str, int]
    watermarks: Rows
    gaps: dict[str, int]
    missing: Rows
    is_weekly: bool
    happened: Rows
    funnel: Rows
    cohorts: Rows
    activities: Rows
    activity_count: int
    has_validities: bool
    certificates: dict[str, int]
    due: Rows
    idle: Rows
    health: Rows
    outages: Rows


_COUNTS = """
    select
        (select count(*) from marts.fct_progress) as registrations,
        (select count(*) from marts.fct_completions) as completions,
        (select count(*) from marts.dim_activities) as activities
"""
_SPAN = "select min(activity_day) from marts.agg_activity_daily where activity_day <= $1"
_HAPPENED = """
    with spine as (
        select cast(unnest(generate_series($first::date, $last::date, to_days($days::integer))) as date) as day
    ),
    summed as (
        select
            cast(case when $is_weekly then date_trunc('week', activity_day) else activity_day end as date) as day,
            sum(started_count) as started,
            sum(progressed_count) as progressed,
            sum(completed_count) as completed
        from marts.agg_activity_daily
        group by all
    )
    select
        spine.day,
        coalesce(summed.started, 0)::bigint,
        coalesce(summed.progressed, 0)::bigint,
        coalesce(summed.completed, 0)::bigint
    from spine left join summed using (day)
    order by 1
"""
_FUNNEL = """
    select
        coalesce(sum(registration_count), 0)::bigint, coalesce(sum(moved_count), 0)::bigint,
        coalesce(sum(half_way_count), 0)::bigint, coalesce(sum(at_100_count), 0)::bigint,
        coalesce(sum(completed_count), 0)::bigint
    from marts.agg_cohorts_weekly
"""
_COHORTS = """
    select
        cohort_week, sum(completed_count) / sum(registration_count), sum(completed_count)::bigint,
        sum(registration_count)::bigint, sum(moved_count)::bigint, sum(half_way_count)::bigint
    from marts.agg_cohorts_weekly
    group by all
    order by 1 desc
    limit 8
"""
_ACTIVITIES = f"""
    select
        activity_title, completion_rate, completed_count, registration_count,
        median_days_to_complete, p90_days_to_complete, waiting_count, idle_30_days_count
    from marts.agg_activities
    order by registration_count desc, activity_title, activity_id
    limit {ROWS_SHOWN}
"""  # noqa: S608 - a number of our own
_CERTIFICATES = """
    select
        case
            when status = 'current' and valid_until is null then 'for ever'
            when expires_within_days is not null then 'within ' || expires_within_days || ' days'
            else status
        end as state,
        count(*)
    from marts.fct_certifications
    group by all
"""
_DUE = f"""
    select {{who}}, activity_title, valid_until, days_left
    from marts.fct_certifications
    where status = 'expiring'
    order by valid_until, completion_id
    limit {ROWS_SHOWN}
"""  # noqa: S608 - the same
_IDLE = f"""
    select {{who}}, activity_title, idle_days, progress_percent, last_moved_at::date
    from marts.fct_unfinished
    where not is_completed_elsewhere
    order by idle_days desc, registration_id
    limit {ROWS_SHOWN}
"""  # noqa: S608 - the same
_MISSING = f"""
    select gap_id, kind, cause, status, update_kind, first_seen_at, age_hours
    from audit.gaps
    where status in ('open', 'suspected')
    order by status, first_seen_at, gap_id
    limit {ROWS_SHOWN}
"""  # noqa: S608 - the same
_HEALTH = """
    select day_utc, webhook_count, missing_on_webhook_count
    from audit.coverage_daily
    where day_utc > $1::date - $2::integer
    order by 1
"""
_OUTAGES = f"""
    select started_at, ended_at, cause, updates_lost, still_missing_count
    from audit.webhook_outages
    order by started_at desc
    limit {ROWS_SHOWN}
"""  # noqa: S608 - the same


def read(published: Path) -> Told:
    """Read what the report tells from a published file."""
    connection = duckdb.connect(str(published), read_only=True)
    try:
        connection.execute("set enable_progress_bar = false")
        return _read(connection)
    finally:
        connection.close()


def _read(connection: duckdb.DuckDBPyConnection) -> Told:
    def rows(sql: str, values: Any = None) -> Rows:
        return connection.execute(sql, values).fetchall()

    facts: dict[str, str] = dict(rows("select topic, text from readme"))
    as_of = datetime.strptime(facts["as_of"], "%Y-%m-%d %H:%M:%S UTC")  # noqa: DTZ007 - all here is UTC
    is_weekly, happened = _happened(connection, as_of.date())
    ((registrations, completions, activity_count),) = rows(_COUNTS)
    counts = {"registrations": registrations, "completions": completions}
    who = _who(connection)
    if who != "registration_id":
        ((learners,),) = rows("select count(*) from marts.dim_learners")
        counts = {"learners": learners, **counts}
    steps = ("started", "beyond 0", "half way", "at 100", "completed")
    return Told(
        facts=facts,
        as_of=as_of,
        counts=counts,
        watermarks=rows("select update_kind, agreed_until, held_by from audit.watermarks order by update_kind desc"),
        gaps=dict(rows("select status, count(*) from audit.gaps group by all order by 1")),
        missing=rows(_MISSING),
        is_weekly=is_weekly,
        happened=happened,
        funnel=list(zip(steps, rows(_FUNNEL)[0], strict=True)),
        cohorts=rows(_COHORTS),
        activities=rows(_ACTIVITIES),
        activity_count=activity_count,
        has_validities=bool(rows("from marts.dim_validities limit 1")),
        certificates=dict(rows(_CERTIFICATES)),
        due=rows(_DUE.format(who=who)),
        idle=rows(_IDLE.format(who=who)),
        health=rows(_HEALTH, [as_of.date(), DAYS_SHOWN]),
        outages=rows(_OUTAGES),
    )


def _happened(connection: duckdb.DuckDBPyConnection, last: date) -> tuple[bool, Rows]:
    """Give what happened: by day where that is not too much to look at, else by week."""
    ((first,),) = connection.execute(_SPAN, [last]).fetchall()
    if first is None:
        return False, []
    is_weekly = (last - first).days >= DAYS_SHOWN
    if is_weekly:
        first = max(first, last - timedelta(weeks=WEEKS_SHOWN - 1))
        first, last = (day - timedelta(days=day.weekday()) for day in (first, last))
    values = {"first": first, "last": last, "days": 7 if is_weekly else 1, "is_weekly": is_weekly}
    return is_weekly, connection.execute(_HAPPENED, values).fetchall()


def _who(connection: duckdb.DuckDBPyConnection) -> str:
    """Say by what a person goes: the name, the pseudonym, or the registration alone."""
    rows = connection.execute(
        "select column_name from duckdb_columns() where table_name = 'fct_progress' and schema_name = 'marts'"
    ).fetchall()
    columns = {name for (name,) in rows}
    if "first_name" in columns:
        return "coalesce(nullif(trim(concat_ws(' ', first_name, last_name)), ''), learner_id)"
    return "learner_id" if "learner_id" in columns else "registration_id"
