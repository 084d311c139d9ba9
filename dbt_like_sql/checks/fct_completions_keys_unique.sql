-- Keys of marts.fct_completions that stand in several rows of the table behind it.
-- The view adds to each completion its registration, which stands in one row (fct_progress_keys_unique).
select
    completion_id,
    count(*) as row_count
from intermediate.int_completions_identified
group by completion_id
having count(*) > 1
