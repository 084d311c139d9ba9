-- Keys of marts.dim_activities that stand in several rows.
select
    activity_id,
    count(*) as row_count
from marts.dim_activities
group by activity_id
having count(*) > 1
