-- One row per activity and week in which its registrations were started: how many came how far.
-- A registration without a start belongs to the week of its completion, or else of the first that was told of it.
with

progress as (

    select *
    from marts.fct_progress
    where activity_id is not null

),

titles as (

    select * from intermediate.int_activities_titled

),

run_now as (

    select max(as_of) as as_of
    from audit.watermarks

),

placed as (

    select
        activity_id,
        learner_id,
        is_completed,
        coalesce(progress_percent, 0.0) as progress_percent,
        cast(date_trunc('week', coalesce(started_at, completed_at, first_told_at)) as date) as cohort_week,
        case
            when completed_at >= started_at then seconds_between(started_at, completed_at) / 86400.0
        end as days_to_complete
    from progress

),

summed as (

    select
        activity_id,
        cohort_week,
        count(*) as registration_count,
        count(distinct learner_id) as learner_count,
        count(*) filter (where is_completed or progress_percent > 0.0) as moved_count,
        count(*) filter (where is_completed or progress_percent >= 50.0) as half_way_count,
        count(*) filter (where is_completed or progress_percent >= 100.0) as at_100_count,
        count(*) filter (where is_completed) as completed_count,
        count(*) filter (where days_to_complete <= 7.0) as completed_in_7_days_count,
        count(*) filter (where days_to_complete <= 28.0) as completed_in_28_days_count
    from placed
    group by activity_id, cohort_week

)

select
    summed.activity_id,
    titles.activity_title,
    summed.cohort_week,
    summed.registration_count,
    summed.learner_count,
    summed.moved_count,
    summed.half_way_count,
    summed.at_100_count,
    summed.completed_count,
    summed.completed_in_7_days_count,
    summed.completed_in_28_days_count,
    cast(summed.completed_count as double) / nullif(summed.registration_count, 0) as completion_rate,
    days_between(summed.cohort_week, cast(run_now.as_of as date)) >= 35 as is_28_days_old
from summed
inner join titles on summed.activity_id = titles.activity_id
cross join run_now
