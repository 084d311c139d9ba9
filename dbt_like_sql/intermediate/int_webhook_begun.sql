-- One row: when the webhook began to be a witness, which is its first delivery. Nulls if it never delivered.
with

begun as (

    select
        min(first_received_at) as began_at,
        max(last_received_at) as last_received_at,
        coalesce(cast(sum(delivery_count) as bigint), 0) as delivery_count
    from intermediate.int_webhook_days_summed

),

first_delivery as (

    select
        min(deliveries.delivery_id) as delivery_id,
        min_by(deliveries.load_number, deliveries.delivery_id) as load_number
    from staging.stg_webhook__deliveries as deliveries
    inner join begun on deliveries.received_at = begun.began_at

),

-- A delivery and its updates are loaded together; by the number of the load they are found without reading the rest.
first_updates as (

    select min(updates.transaction_id) as first_transaction_id
    from staging.stg_webhook__updates as updates
    inner join first_delivery
        on updates.load_number = first_delivery.load_number and updates.delivery_id = first_delivery.delivery_id

)

select
    begun.began_at,
    begun.last_received_at,
    begun.delivery_count,
    first_updates.first_transaction_id
from begun
cross join first_updates
