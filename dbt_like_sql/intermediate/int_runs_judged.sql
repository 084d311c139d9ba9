-- One row: the newest run, whose instant is now, and the one before it. To accept a gap by hand is no run.
with

runs as (

    select
        run_id,
        max(load_number) as load_number,
        max(as_of) as as_of,
        min_by(purpose, load_number) as purpose,
        max_by(start_at, load_number) as start_at,
        max_by(settle_minutes, load_number) as settle_minutes,
        max_by(lookback_days, load_number) as lookback_days,
        max_by(daily_calls, load_number) as daily_calls
    from raw.runs
    where purpose <> 'manual'
    group by run_id

),

ranked as (

    select
        *,
        lag(as_of) over (order by load_number asc nulls first) as previous_as_of,
        max(case when purpose not in ('land', 'repair') then as_of end) over (
            order by load_number asc nulls first
            rows between unbounded preceding and current row
        ) as pulled_as_of,
        row_number() over (order by load_number desc nulls last) as rank_from_newest
    from runs

)

select
    run_id,
    as_of,
    purpose,
    previous_as_of,
    pulled_as_of,
    start_at,
    settle_minutes,
    lookback_days,
    daily_calls
from ranked
where rank_from_newest = 1
