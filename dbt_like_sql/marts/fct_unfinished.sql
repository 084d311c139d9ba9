-- One row per registration that is not completed: since when nothing has moved in it.
-- A learner who completed the same activity under another registration is not waited for.
with

unfinished as (

    select *
    from marts.fct_progress
    where not is_completed

),

completed as (

    select
        learner_id,
        activity_id,
        max(registration_id) as registration_id
    from marts.fct_progress
    where is_completed and activity_id is not null
    group by learner_id, activity_id

),

moved as (

    select
        registration_id,
        max(changed_at) as last_moved_at
    from marts.fct_progress_events
    group by registration_id

),

run_now as (

    select cast(max(as_of) as date) as as_of_day
    from audit.watermarks

),

dated as (

    select
        unfinished.registration_id,
        unfinished.learner_id,
        unfinished.first_name,
        unfinished.last_name,
        unfinished.email,
        unfinished.activity_id,
        unfinished.activity_title,
        unfinished.started_at,
        unfinished.progress_percent,
        completed.registration_id is not null as is_completed_elsewhere,
        coalesce(moved.last_moved_at, unfinished.started_at, unfinished.first_told_at) as last_moved_at
    from unfinished
    left join moved on unfinished.registration_id = moved.registration_id
    left join completed
        on unfinished.learner_id = completed.learner_id and unfinished.activity_id = completed.activity_id

)

select
    dated.registration_id,
    dated.learner_id,
    dated.first_name,
    dated.last_name,
    dated.email,
    dated.activity_id,
    dated.activity_title,
    dated.started_at,
    dated.progress_percent,
    dated.progress_percent >= 100.0 as is_at_100,
    dated.is_completed_elsewhere,
    dated.last_moved_at,
    days_between(cast(dated.last_moved_at as date), run_now.as_of_day) as idle_days
from dated
cross join run_now
