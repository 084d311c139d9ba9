-- One row per load: the run that made it, the instant and settle time that this run judges by, and when a pull before
-- it was last proven complete, and for which span. A repair comes after the verdict of its own run, so that run's pull
-- was before it too. What was loaded by hand, to accept a gap, asked and landed nothing: it can judge nothing either.
with

loads as (

    select
        load_number,
        max(run_id) as run_id,
        max(purpose) as purpose,
        max(as_of) as as_of,
        max(settle_minutes) as settle_minutes
    from raw.runs
    where purpose <> 'manual'
    group by load_number

),

runs as (

    select
        run_id,
        min(load_number) as first_load_number,
        max(as_of) as as_of
    from loads
    group by run_id

),

pulls as (

    select
        loads.run_id,
        max(loads.as_of) as pulled_at,
        max(windows.window_start) as pulled_from,
        max(least(windows.window_end, loads.as_of)) as pulled_until
    from raw.api_windows as windows
    inner join loads on windows.load_number = loads.load_number
    where windows.is_complete and windows.search is null
    group by loads.run_id

),

runs_with_pulls as (

    select
        runs.run_id,
        pulls.pulled_at,
        max(pulls.pulled_at) over before_it as previous_pull_at,
        max(pulls.pulled_from) over before_it as previous_pull_from,
        max(pulls.pulled_until) over before_it as previous_pull_until
    from runs
    left join pulls on runs.run_id = pulls.run_id
    window before_it as (
        order by runs.first_load_number asc nulls first rows between unbounded preceding and 1 preceding
    )

)

select
    loads.load_number,
    loads.run_id,
    loads.as_of,
    loads.settle_minutes,
    case
        when loads.purpose = 'repair' then greatest(runs_with_pulls.previous_pull_at, runs_with_pulls.pulled_at)
        else runs_with_pulls.previous_pull_at
    end as previous_pull_at,
    runs_with_pulls.previous_pull_from,
    runs_with_pulls.previous_pull_until
from loads
inner join runs_with_pulls on loads.run_id = runs_with_pulls.run_id
