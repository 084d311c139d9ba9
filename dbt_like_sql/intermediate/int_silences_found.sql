-- One row per quarter of an hour or more within a UTC day in which the webhook delivered nothing.
with

deliveries as (

    select
        received_day,
        received_at as silent_from,
        -- Deliveries of one instant follow each other in any order to the same end.
        lead(received_at) over (partition by received_day order by received_at asc nulls first) as silent_until
    from staging.stg_webhook__deliveries

)

select
    received_day,
    silent_from,
    silent_until
from deliveries
where seconds_between(silent_from, silent_until) >= 900.0
