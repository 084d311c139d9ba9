-- One row per transaction that the webhook owes and nothing dates, if the webhook told near ones before and after it.
-- Where each update has an id of its own, the neighbours that the webhook told bound the instant of what it did not.
-- Most are lost one by one, and have told neighbours among the fifty ids on either side.
with

undated as (

    select distinct disagreements.transaction_id
    from intermediate.int_disagreements_found as disagreements
    cross join intermediate.int_vendor_habits_found as habits
    where
        disagreements.failing_witness = 'webhook' and not disagreements.is_dated and habits.gives_each_update_an_id

),

near as (

    select
        undated.transaction_id as undated_id,
        undated.transaction_id + 10 * tens.digit + ones.digit - 50 as transaction_id
    from undated
    cross join intermediate.int_digits_listed as tens
    cross join intermediate.int_digits_listed as ones

),

told as (

    select
        near.undated_id,
        near.transaction_id,
        min(witnessed.webhook_first_told_at) as told_at,
        min(loads.as_of) as known_at
    from near
    inner join intermediate.int_transactions_witnessed as witnessed on near.transaction_id = witnessed.transaction_id
    inner join intermediate.int_loads_timed as loads on witnessed.webhook_first_load_number = loads.load_number
    where witnessed.told_by_webhook
    group by near.undated_id, near.transaction_id

),

summed as (

    select
        undated_id,
        max_by(told_at, transaction_id) filter (where transaction_id < undated_id) as not_before,
        min(told_at) filter (where transaction_id >= undated_id) as not_after
    from told
    group by undated_id

)

select
    summed.undated_id as transaction_id,
    summed.not_before,
    summed.not_after,
    min(told.known_at) as not_after_known_at
from summed
inner join told on summed.undated_id = told.undated_id and summed.not_after = told.told_at
where summed.not_before is not null
group by summed.undated_id, summed.not_before, summed.not_after
