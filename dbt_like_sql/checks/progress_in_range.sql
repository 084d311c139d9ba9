-- Registrations whose progress is not from 0 to 100.
select
    registration_id,
    transaction_id,
    progress_percent
from marts.fct_progress
where progress_percent < 0.0 or progress_percent > 100.0
