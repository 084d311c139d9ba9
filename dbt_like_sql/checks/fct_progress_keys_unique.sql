-- Keys of marts.fct_progress that stand in several rows.
select
    registration_id,
    count(*) as row_count
from marts.fct_progress
group by registration_id
having count(*) > 1
