-- Changes after which a registration stood lower than before, first told since the run before.
select
    events.registration_id,
    events.transaction_id,
    events.progress_percent_before,
    events.progress_percent,
    events.changed_at
from marts.fct_progress_events as events
cross join intermediate.int_runs_judged as run_now
where
    events.progress_percent < events.progress_percent_before
    and (run_now.previous_as_of is null or events.changed_before > run_now.previous_as_of)
