-- One row per activity and title that was told of it.
-- The current title is the one of `marts.dim_activities`; a title that comes back keeps its row.
with

told as (

    select *
    from intermediate.int_names_told
    where activity_id is not null and activity_title is not null

),

activities as (

    select * from intermediate.int_activities_titled

),

summed as (

    select
        activity_id,
        activity_title,
        count(distinct registration_id) as registration_count,
        min(first_told_at) as first_told_at,
        max(last_told_at) as last_told_at
    from told
    group by activity_id, activity_title

)

select
    summed.activity_id,
    row_number() over (
        partition by summed.activity_id
        order by summed.first_told_at asc nulls first, summed.activity_title asc nulls first
    ) as title_number,
    summed.activity_title,
    coalesce(summed.activity_title = activities.activity_title, false) as is_current,
    summed.registration_count,
    summed.first_told_at,
    summed.last_told_at
from summed
inner join activities on summed.activity_id = activities.activity_id
