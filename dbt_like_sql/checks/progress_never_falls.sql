-- Changes after which a registration stood lower than before, first told since the run before.
-- What was told since then was loaded by the newest run or by that one, so only their transactions are looked at.
with

told as (

    select distinct transaction_id
    from intermediate.int_tellings_recent

)

select
    events.registration_id,
    events.transaction_id,
    events.progress_percent_before,
    events.progress_percent,
    events.changed_at
from told
inner join marts.fct_progress_events as events on told.transaction_id = events.transaction_id
cross join intermediate.int_runs_judged as run_now
where
    events.progress_percent < events.progress_percent_before
    and (run_now.previous_as_of is null or events.changed_before > run_now.previous_as_of)
