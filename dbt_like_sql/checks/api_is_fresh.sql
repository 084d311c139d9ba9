-- The API, if it answered nothing in full for more than two days before the newest run.
with

run_now as (

    select as_of
    from intermediate.int_runs_judged

),

pulls as (

    select max(attempted_at) as last_pull_at
    from raw.api_windows
    where is_complete

)

select
    'api' as witness,
    pulls.last_pull_at,
    run_now.as_of
from pulls
cross join run_now
where pulls.last_pull_at < seconds_after(run_now.as_of, -172800.0)
