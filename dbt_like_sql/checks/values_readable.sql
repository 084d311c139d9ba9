-- Records with a field that was given but could not be read, or without a registration, told by the newest run's loads.
select
    tellings.transaction_id,
    tellings.registration_id,
    tellings.witness,
    tellings.unread_fields,
    tellings.told_at
from intermediate.int_tellings_unioned as tellings
inner join intermediate.int_loads_timed as loads on tellings.load_number = loads.load_number
cross join intermediate.int_runs_judged as run_now
where loads.run_id = run_now.run_id and tellings.unread_fields is not null
