-- The webhook, if it is in use and delivered nothing for a week before the newest run.
select
    'webhook' as witness,
    webhook.last_received_at,
    run_now.as_of,
    'The webhook delivered last at '
    || cast(webhook.last_received_at as string)
    || ' UTC, '
    || cast(cast(floor(seconds_between(webhook.last_received_at, run_now.as_of) / 86400.0) as bigint) as string)
    || ' days before this run; 7 are allowed.' as told
from intermediate.int_webhook_begun as webhook
cross join intermediate.int_runs_judged as run_now
where webhook.last_received_at < seconds_after(run_now.as_of, -604800)
