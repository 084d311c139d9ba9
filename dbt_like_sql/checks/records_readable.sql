-- Things that could not be read as a record, brought since the run before.
select
    rejects.reject_id,
    rejects.source,
    rejects.reason,
    rejects.call_id,
    rejects.delivery_id,
    rejects.file,
    rejects.observed_at
from raw.rejects as rejects
inner join intermediate.int_loads_timed as loads on rejects.load_number = loads.load_number
cross join intermediate.int_runs_judged as run_now
where loads.run_id = run_now.run_id
