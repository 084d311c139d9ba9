-- Completions whose code another registration claimed first.
select
    completion_id,
    registration_id,
    completion_code
from marts.fct_completions
where is_code_shared
