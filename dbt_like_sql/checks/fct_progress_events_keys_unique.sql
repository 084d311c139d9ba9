-- Changes that stand in several rows, of the transactions that the newest run or the one before it was told of.
with

recent as (

    select loads.load_number
    from intermediate.int_loads_timed as loads
    cross join intermediate.int_runs_judged as run_now
    where run_now.previous_as_of is null or loads.as_of >= run_now.previous_as_of

),

told as (

    select transaction_id
    from intermediate.int_tellings_unioned
    where load_number in (select recent.load_number from recent)

)

select
    event_id,
    count(*) as row_count
from marts.fct_progress_events
where transaction_id in (select told.transaction_id from told)
group by event_id
having count(*) > 1
