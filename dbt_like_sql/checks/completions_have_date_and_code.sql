-- Completions that lack their date or their code.
select
    completion_id,
    registration_id,
    completed_at,
    completion_code
from marts.fct_completions
where completed_at is null or completion_code is null
