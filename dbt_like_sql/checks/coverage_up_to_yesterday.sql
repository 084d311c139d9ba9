-- Days before the newest pull's own that the API is not proven complete for, unless a fill is under way.
-- A first fill takes the calls of several days. It is under way while the last 24 hours of calling used up most of what
-- a day grants. Those hours end with the last call, since calls are counted by the vendor's clock and not by the run's.
with

run_now as (

    select
        pulled_as_of,
        daily_calls
    from intermediate.int_runs_judged

),

last_call as (

    select max(counted_at) as last_counted_at
    from raw.api_calls

),

day_spent as (

    select count(*) as call_count
    from raw.api_calls as counted
    cross join last_call
    where
        counted.purpose in ('daily', 'backfill')
        and counted.counted_at > seconds_after(last_call.last_counted_at, -86400)

)

select
    coverage.day_utc,
    coverage.proven_until
from audit.coverage_daily as coverage
cross join run_now
cross join day_spent
where
    not coverage.is_proven_complete
    and coverage.day_utc < cast(run_now.pulled_as_of as date)
    and day_spent.call_count < 0.5 * run_now.daily_calls
