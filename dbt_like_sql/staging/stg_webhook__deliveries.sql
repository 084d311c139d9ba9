-- One row per delivery: `raw.webhook_deliveries`, with its UTC day.
select
    delivery_id,
    received_at,
    cast(received_at as date) as received_day,
    started_count + progressed_count + completion_count as update_count,
    error,
    load_number
from raw.webhook_deliveries
