-- One row per UTC day on which the webhook delivered something.
select
    received_day,
    min(received_at) as first_received_at,
    max(received_at) as last_received_at,
    count(*) as delivery_count,
    cast(sum(update_count) as bigint) as update_count
from staging.stg_webhook__deliveries
group by received_day
