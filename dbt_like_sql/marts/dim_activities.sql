-- One row per activity, as last told.
with

registrations as (

    select *
    from intermediate.int_registrations_merged
    where activity_id is not null

),

titles as (

    select * from intermediate.int_activities_titled

),

summed as (

    select
        activity_id,
        count(distinct activity_title) as title_count,
        count(*) as registration_count,
        cast(sum(case when is_completed then 1 else 0 end) as bigint) as completed_count,
        count(distinct learner_id) as learner_count,
        min(started_at) as first_started_at,
        min(first_told_at) as first_told_at,
        max(last_told_at) as last_told_at
    from registrations
    group by activity_id

)

select
    titles.activity_id,
    titles.activity_title,
    summed.title_count,
    summed.registration_count,
    summed.learner_count,
    summed.completed_count,
    summed.first_started_at,
    summed.first_told_at,
    summed.last_told_at
from titles
inner join summed on titles.activity_id = summed.activity_id
