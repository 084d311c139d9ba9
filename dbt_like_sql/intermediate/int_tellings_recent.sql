-- One row per telling that the newest run or the one before it loaded.
-- The run before counts too, since one that ended before its checks leaves what it was told to the next.
with

recent as (

    select loads.load_number
    from intermediate.int_loads_timed as loads
    cross join intermediate.int_runs_judged as run_now
    where run_now.previous_as_of is null or loads.as_of >= run_now.previous_as_of

)

select
    witness,
    call_id,
    delivery_id,
    position,
    transaction_id,
    registration_number
from intermediate.int_tellings_unioned
where load_number in (select recent.load_number from recent)
