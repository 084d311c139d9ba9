-- One row per transaction (of one registration), both witnesses side by side.
-- Of the API its newest version counts: what it showed last. Of the webhook the furthest state counts: deliveries may
-- be repeated, late or out of order, so the last to arrive proves nothing.
with

tellings as (

    select
        *,
        witness = 'api' as is_by_api,
        witness = 'webhook' as is_by_webhook
    from intermediate.int_tellings_unioned
    where transaction_id is not null

),

summed as (

    select
        registration_id,
        transaction_id,
        max(registration_number) as registration_number,
        min(record_hash) = max(record_hash) as is_told_alike,

        count(*) filter (where is_by_api) as api_version_count,
        min(told_at) filter (where is_by_api) as api_first_told_at,
        max(told_at) filter (where is_by_api) as api_last_told_at,
        min(call_id) as api_first_call_id,
        max(call_id) as api_last_call_id,
        min(load_number) filter (where is_by_api) as api_first_load_number,
        min(state_order) filter (where is_by_api) as api_lowest_order,
        max(state_order) filter (where is_by_api) as api_highest_order,
        max_by(state_order, call_id * 1000000 + position) filter (where is_by_api) as api_state_order,

        count(*) filter (where is_by_webhook) as webhook_update_count,
        min(told_at) filter (where is_by_webhook) as webhook_first_told_at,
        max(told_at) filter (where is_by_webhook) as webhook_last_told_at,
        min(load_number) filter (where is_by_webhook) as webhook_first_load_number,
        max(load_number) filter (where is_by_webhook) as webhook_last_load_number,
        min(state_order) filter (where is_by_webhook) as webhook_lowest_order,
        max(state_order) filter (where is_by_webhook) as webhook_state_order
    from tellings
    group by registration_id, transaction_id

)

select
    registration_id,
    registration_number,
    transaction_id,
    api_version_count > 0 as told_by_api,
    webhook_update_count > 0 as told_by_webhook,
    is_told_alike,
    coalesce(api_lowest_order < api_highest_order, false)
    or coalesce(webhook_lowest_order < webhook_state_order, false) as has_several_states,

    api_version_count,
    api_first_told_at,
    api_last_told_at,
    api_first_call_id,
    api_last_call_id,
    api_first_load_number,
    api_highest_order,
    api_state_order,

    webhook_update_count,
    webhook_first_told_at,
    webhook_last_told_at,
    webhook_first_load_number,
    webhook_last_load_number,
    webhook_state_order
from summed
