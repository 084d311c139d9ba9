-- The API, if no pull was proven complete in the 36 hours before the newest run.
with

run_now as (

    select as_of
    from intermediate.int_runs_judged

),

begun as (

    select min(as_of) as first_as_of
    from raw.runs

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
    run_now.as_of,
    case
        when pulls.last_pull_at is null
            then
                'No pull of the API was ever proven complete, and the first run was at '
                || cast(begun.first_as_of as string)
                || ' UTC.'
        else
            'The newest pull of the API that was proven complete was at '
            || cast(pulls.last_pull_at as string)
            || ' UTC, '
            || cast(cast(floor(seconds_between(pulls.last_pull_at, run_now.as_of) / 3600.0) as bigint) as string)
            || ' hours before this run; 36 are allowed.'
    end as told
from pulls
cross join run_now
cross join begun
where coalesce(pulls.last_pull_at, begun.first_as_of) < seconds_after(run_now.as_of, -129600)
