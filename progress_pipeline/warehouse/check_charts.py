"""The numbers behind the small charts that failing checks show: how many, and since when."""

from typing import TypeAlias

import duckdb

Series: TypeAlias = dict[str, dict[str, float]]
"""Values by label, by series."""

DAYS = 14
"""Days that a chart by day shows, up to the newest run's own."""

OLDEST = 8
"""Days from which on open gaps are shown together."""

_VALUES = f"""
    with run_now as (select as_of from intermediate.int_runs_judged),
    days as (
        select cast(as_of as date) - cast(back as integer) as day_utc
        from run_now cross join range({DAYS}) as numbers(back)
    ),
    told as (
        select
            case
                when gaps.kind in ('missing_webhook', 'behind_webhook') then 'webhook'
                when gaps.kind = 'field_mismatch' then 'fields'
            end as series,
            cast(gaps.opened_at as date) as day_utc,
            count(*) as amount
        from audit.gaps as gaps
        where gaps.opened_at is not null and gaps.outage_id is null
        group by all
        union all
        select 'outages', cast(started_at as date), sum(updates_lost) from audit.webhook_outages group by all
    )
    select series.series, strftime(days.day_utc, '%Y-%m-%d'), coalesce(told.amount, 0)
    from days
    cross join (values ('webhook'), ('fields'), ('outages')) as series(series)
    left join told on days.day_utc = told.day_utc and series.series = told.series
    union all
    select 'owed', cast(ages.age as varchar), count(gaps.gap_id)
    from range({OLDEST + 1}) as ages(age)
    cross join run_now
    left join audit.gaps as gaps
        on gaps.status = 'open' and gaps.kind in ('missing_api', 'behind_api')
        and least(floor(seconds_between(gaps.opened_at, run_now.as_of) / 86400), {OLDEST}) = ages.age
    group by all
    union all
    select 'watermarks', update_kind, floor(seconds_between(agreed_until, as_of) / 3600)
    from audit.watermarks where agreed_until is not null
    order by all
"""


def chart_values(connection: duckdb.DuckDBPyConnection) -> Series:
    """Give the values of all charts, in one statement.

    Returns:
        `webhook` and `fields`: gaps opened, by day. `outages`: changes lost, by the day on which an outage began.
        `owed`: gaps that the API owes, by full days since they opened, the last for all older ones. `watermarks`: hours
        behind the newest run, by kind of update.
    """
    values: Series = {}
    for series, label, amount in connection.execute(_VALUES).fetchall():
        values.setdefault(series, {})[label] = float(amount)
    return values
