-- Outages that last, or that the newest run saw first.
select
    outages.outage_id,
    outages.started_at,
    outages.ended_at,
    outages.cause,
    outages.updates_lost,
    outages.completions_lost
from audit.webhook_outages as outages
cross join intermediate.int_runs_judged as run_now
where
    outages.is_ongoing
    or run_now.previous_as_of is null
    or outages.first_seen_at > run_now.previous_as_of
