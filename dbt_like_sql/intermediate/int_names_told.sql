-- One row per registration and spelling of its learner and its activity, by either witness.
-- What a telling left out is null here.
with

spelled as (

    select
        registration_id,
        max(registration_number) as registration_number,
        first_name,
        last_name,
        email,
        activity_id,
        activity_title,
        min(told_at) as first_told_at,
        max(told_at) as last_told_at
    from intermediate.int_tellings_unioned
    group by registration_id, first_name, last_name, email, activity_id, activity_title

)

select
    registration_id,
    registration_number,
    row_number() over (
        partition by registration_id
        order by
            first_told_at asc nulls first,
            first_name asc nulls first,
            last_name asc nulls first,
            email asc nulls first,
            activity_id asc nulls first,
            activity_title asc nulls first
    ) as spelling_number,
    first_name,
    last_name,
    email,
    activity_id,
    activity_title,
    first_told_at,
    last_told_at
from spelled
