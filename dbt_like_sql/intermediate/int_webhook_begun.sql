-- One row: when the webhook began to be a witness, which is its first delivery. Nulls if it never delivered.
with

deliveries as (

    select
        received_at,
        delivery_id
    from raw.webhook_deliveries

),

first_delivery as (

    select delivery_id
    from deliveries
    qualify row_number() over (order by received_at asc nulls last, delivery_id asc nulls last) = 1

),

first_updates as (

    select min(updates.transaction_id) as first_transaction_id
    from staging.stg_webhook__updates as updates
    inner join first_delivery on updates.delivery_id = first_delivery.delivery_id

)

select
    min(deliveries.received_at) as began_at,
    max(deliveries.received_at) as last_received_at,
    count(*) as delivery_count,
    max(first_updates.first_transaction_id) as first_transaction_id
from deliveries
cross join first_updates
