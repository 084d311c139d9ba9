-- Keys of marts.fct_progress_events that stand in several rows.
select
    event_id,
    count(*) as row_count
from marts.fct_progress_events
group by event_id
having count(*) > 1
