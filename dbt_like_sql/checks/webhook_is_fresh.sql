-- The webhook, if it is in use and delivered nothing for a week before the newest run.
select
    'webhook' as witness,
    webhook.last_received_at,
    run_now.as_of
from intermediate.int_webhook_begun as webhook
cross join intermediate.int_runs_judged as run_now
where webhook.last_received_at < seconds_after(run_now.as_of, -604800)
