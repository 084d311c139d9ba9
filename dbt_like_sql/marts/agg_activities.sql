-- One row per activity: how many complete it, how long that takes, and how many stand still.
-- The time to complete is that of registrations with a start and a completion that is not before it.
with

progress as (

    select
        *,
        case
            when completed_at >= started_at then seconds_between(started_at, completed_at) / 86400.0
        end as days_to_complete
    from marts.fct_progress
    where activity_id is not null

),

waiting as (

    select
        activity_id,
        count(*) filter (where not is_completed_elsewhere) as waiting_count,
        count(*) filter (where not is_completed_elsewhere and is_at_100) as at_100_count,
        count(*) filter (where not is_completed_elsewhere and idle_days >= 14) as idle_14_days_count,
        count(*) filter (where not is_completed_elsewhere and idle_days >= 30) as idle_30_days_count
    from marts.fct_unfinished
    group by activity_id

),

titles as (

    select * from intermediate.int_activities_titled

),

summed as (

    select
        activity_id,
        count(*) as registration_count,
        count(distinct learner_id) as learner_count,
        count(*) filter (where is_completed) as completed_count,
        count(distinct case when is_completed then learner_id end) as completed_learner_count,
        count(*) filter (where is_completed and started_at is null) as without_start_count,
        count(days_to_complete) as timed_count,
        percentile_cont(0.5) within group (order by days_to_complete asc nulls last) as median_days_to_complete,
        percentile_cont(0.9) within group (order by days_to_complete asc nulls last) as p90_days_to_complete
    from progress
    group by activity_id

)

select
    summed.activity_id,
    titles.activity_title,
    summed.registration_count,
    summed.learner_count,
    summed.completed_count,
    summed.completed_learner_count,
    cast(summed.completed_count as double) / nullif(summed.registration_count, 0) as completion_rate,
    cast(summed.completed_learner_count as double) / nullif(summed.learner_count, 0) as learner_completion_rate,
    summed.without_start_count,
    summed.timed_count,
    summed.median_days_to_complete,
    summed.p90_days_to_complete,
    coalesce(waiting.waiting_count, 0) as waiting_count,
    coalesce(waiting.at_100_count, 0) as at_100_count,
    coalesce(waiting.idle_14_days_count, 0) as idle_14_days_count,
    coalesce(waiting.idle_30_days_count, 0) as idle_30_days_count
from summed
inner join titles on summed.activity_id = titles.activity_id
left join waiting on summed.activity_id = waiting.activity_id
