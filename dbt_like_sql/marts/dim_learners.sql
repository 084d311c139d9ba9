-- One row per learner, as last told.
-- A learner is known by the member identifier; without one by the e-mail address, in lower case; without either each
-- registration is a learner of its own.
with

registrations as (

    select * from intermediate.int_registrations_merged

),

newest as (

    select
        learner_id,
        member_identifier,
        first_name,
        last_name,
        email
    from registrations
    qualify row_number() over (
        partition by learner_id
        order by transaction_id desc nulls last, registration_id desc nulls last
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
