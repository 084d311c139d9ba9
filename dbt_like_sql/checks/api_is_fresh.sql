-- The API, if no pull was proven complete in the 36 hours before the newest run.
with

run_now as (

    select as_of
    from intermediate.int_runs_judged

),

pulls as (

    select max(loads.as_of) as last_pull_at
    from raw.api_windows as windows
    inner join intermediate.int_loads_timed as loads on windows.load_number = loads.load_number
    where windows.is_complete and windows.search is null

)

select
    'api' as witness,
    pulls.last_pull_at,
    run_now.as_of
from pulls
cross join run_now
where pulls.last_pull_at < seconds_after(run_now.as_of, -129600)
