-- Completions that stand in several rows, of the registrations that the newest run or the one before it was told of.
with

recent as (

    select loads.load_number
    from intermediate.int_loads_timed as loads
    cross join intermediate.int_runs_judged as run_now
    where run_now.previous_as_of is null or loads.as_of >= run_now.previous_as_of

),

told as (

    select registration_number
    from intermediate.int_tellings_unioned
    where load_number in (select recent.load_number from recent)

),

claimed as (

    select claimed_number
    from intermediate.int_completions_claimed
    where registration_number in (select told.registration_number from told)

)

select
    completion_id,
    count(*) as row_count
from intermediate.int_completions_identified
where claimed_number in (select claimed.claimed_number from claimed)
group by completion_id
having count(*) > 1
