-- One row per learner, as last told.
-- A learner is known by the member identifier; without one by the e-mail address, in lower case; without either each
-- registration is a learner of its own. Names join nobody and part nobody, for
-- they are spelled anew and shared. Nor does an e-mail address join somebody without an identifier to one who has it:
-- children bear their parents' address.
-- The newest transaction says how they are spelled; where transactions are updated in place, what was told last does.
with

registrations as (

    select * from intermediate.int_registrations_merged

),

newest as (

    select
        registrations.learner_id,
        registrations.member_identifier,
        registrations.first_name,
        registrations.last_name,
        registrations.email
    from registrations
    cross join intermediate.int_vendor_habits_found as habits
    qualify row_number() over (
        partition by registrations.learner_id
        order by
            case when habits.updates_in_place then registrations.last_told_at end desc nulls last,
            registrations.transaction_id desc nulls last,
            registrations.registration_id desc nulls last
    ) = 1

),

summed as (

    select
        learner_id,
        count(*) as registration_count,
        cast(sum(case when is_completed then 1 else 0 end) as bigint) as completed_count,
        min(started_at) as first_started_at,
        min(first_told_at) as first_told_at,
        max(last_told_at) as last_told_at
    from registrations
    group by learner_id

)

select
    newest.learner_id,
    newest.member_identifier,
    newest.first_name,
    newest.last_name,
    newest.email,
    summed.registration_count,
    summed.completed_count,
    summed.first_started_at,
    summed.first_told_at,
    summed.last_told_at
from newest
inner join summed on newest.learner_id = summed.learner_id
