-- One row per activity and UTC day on which something happened in it.
with

registrations as (

    select * from intermediate.int_registrations_merged

),

events as (

    select * from marts.fct_progress_events

),

completions as (

    select * from intermediate.int_completions_identified

),

happenings as (

    select
        activity_id,
        learner_id,
        cast(started_at as date) as activity_day,
        1 as started,
        0 as progressed,
        0 as completed
    from registrations
    where started_at is not null

    union all

    select
        activity_id,
        learner_id,
        cast(changed_at as date) as activity_day,
        0 as started,
        1 as progressed,
        0 as completed
    from events
    where kind = 'progressed'

    union all

    select
        registrations.activity_id,
        registrations.learner_id,
        cast(coalesce(completions.completed_at, completions.first_told_at) as date) as activity_day,
        0 as started,
        0 as progressed,
        1 as completed
    from completions
    inner join registrations on completions.registration_id = registrations.registration_id

)

select
    activity_id,
    activity_day,
    cast(sum(started) as bigint) as started_count,
    cast(sum(progressed) as bigint) as progressed_count,
    cast(sum(completed) as bigint) as completed_count,
    count(distinct learner_id) as active_learner_count
from happenings
where activity_id is not null
group by activity_id, activity_day
