-- Learners that stand in several rows, of the registrations that the newest run or the one before it was told of.
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

learners as (

    select learner_id
    from intermediate.int_registrations_merged
    where registration_number in (select told.registration_number from told)

)

select
    learner_id,
    count(*) as row_count
from marts.dim_learners
where learner_id in (select learners.learner_id from learners)
group by learner_id
having count(*) > 1
