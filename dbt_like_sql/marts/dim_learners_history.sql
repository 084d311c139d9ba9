-- One row per learner and spelling of name and e-mail address that was told of them.
-- What one telling leaves out is taken from how its registration stands. The current spelling is the one of
-- `marts.dim_learners`; a name that comes back keeps its row.
with

told as (

    select * from intermediate.int_names_told

),

registrations as (

    select * from intermediate.int_registrations_merged

),

learners as (

    select * from marts.dim_learners

),

spelled as (

    select
        registrations.learner_id,
        told.registration_id,
        told.first_told_at,
        told.last_told_at,
        coalesce(told.first_name, registrations.first_name) as first_name,
        coalesce(told.last_name, registrations.last_name) as last_name,
        coalesce(told.email, registrations.email) as email
    from told
    inner join registrations on told.registration_id = registrations.registration_id

),

summed as (

    select
        learner_id,
        first_name,
        last_name,
        email,
        count(distinct registration_id) as registration_count,
        min(first_told_at) as first_told_at,
        max(last_told_at) as last_told_at
    from spelled
    group by learner_id, first_name, last_name, email

)

select
    summed.learner_id,
    row_number() over (
        partition by summed.learner_id
        order by
            summed.first_told_at asc nulls first,
            summed.first_name asc nulls first,
            summed.last_name asc nulls first,
            summed.email asc nulls first
    ) as spelling_number,
    summed.first_name,
    summed.last_name,
    summed.email,
    coalesce(summed.first_name, '') = coalesce(learners.first_name, '')
    and coalesce(summed.last_name, '') = coalesce(learners.last_name, '')
    and coalesce(summed.email, '') = coalesce(learners.email, '') as is_current,
    summed.registration_count,
    summed.first_told_at,
    summed.last_told_at
from summed
inner join learners on summed.learner_id = learners.learner_id
