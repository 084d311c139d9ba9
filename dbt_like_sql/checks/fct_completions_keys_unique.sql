-- Keys of marts.fct_completions that stand in several rows.
select
    completion_id,
    count(*) as row_count
from marts.fct_completions
group by completion_id
having count(*) > 1
