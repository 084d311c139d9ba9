-- One row per activity: its title, as last told.
-- The newest transaction says what it is called; where transactions are updated in place, what was told last does.
-- One that leaves the title out says nothing, unless no title was told at all.
with

registrations as (

    select
        activity_id,
        activity_title,
        registration_id,
        transaction_id,
        last_told_at
    from intermediate.int_registrations_merged
    where activity_id is not null

),

-- Looked for among the few that can be the newest, since to rank all registrations takes twenty times as long.
newest as (

    select
        activity_id,
        count(activity_title) > 0 as is_titled,
        coalesce(
            max(case when activity_title is not null then transaction_id end), max(transaction_id)
        ) as transaction_id,
        coalesce(max(case when activity_title is not null then last_told_at end), max(last_told_at)) as last_told_at
    from registrations
    group by activity_id

),

candidates as (

    select registrations.*
    from registrations
    inner join newest on registrations.activity_id = newest.activity_id
    cross join intermediate.int_vendor_habits_found as habits
    where
        (registrations.activity_title is not null or not newest.is_titled)
        and case
            when habits.updates_in_place then registrations.last_told_at = newest.last_told_at
            else registrations.transaction_id = newest.transaction_id
        end

)

select
    activity_id,
    activity_title
from candidates
qualify row_number() over (
    partition by activity_id
    order by transaction_id desc nulls last, registration_id desc nulls last
) = 1
