-- Changes that stand in several rows, of the transactions that the newest run or the one before it was told of.
select
    event_id,
    count(*) as row_count
from marts.fct_progress_events
where transaction_id in (select recent.transaction_id from intermediate.int_tellings_recent as recent)
group by event_id
having count(*) > 1
