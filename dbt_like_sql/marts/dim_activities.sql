-- One row per activity, as last told.
-- The newest transaction says what it is called; where transactions are updated in place, what was told last does.
with

registrations as (

    select *
    from intermediate.int_registrations_merged
    where activity_id is not null

),

newest as (

    select
        registrations.activity_id,
        registrations.activity_title
    from registrations
    cross join intermediate.int_vendor_habits_found as habits
    qualify row_number() over (
        partition by registrations.activity_id
        order by
            case when habits.updates_in_place then registrations.last_told_at end desc nulls last,
            registrations.transaction_id desc nulls last,
            registrations.registration_id desc nulls last
    ) = 1

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
    newest.activity_id,
    newest.activity_title,
    summed.title_count,
    summed.registration_count,
    summed.learner_count,
    summed.completed_count,
    summed.first_started_at,
    summed.first_told_at,
    summed.last_told_at
from newest
inner join summed on newest.activity_id = summed.activity_id
