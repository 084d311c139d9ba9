-- One row per transaction (of one registration), both witnesses side by side.
-- Of the API its newest version stands here: what it showed last. Of the webhook the furthest state stands here, and of
-- equal ones the newest: deliveries may be repeated, late or out of order, so the last to arrive proves nothing.
with

api_tellings as (

    select *
    from intermediate.int_tellings_unioned
    where witness = 'api' and transaction_id is not null

),

webhook_tellings as (

    select *
    from intermediate.int_tellings_unioned
    where witness = 'webhook' and transaction_id is not null

),

api_counted as (

    select
        registration_id,
        transaction_id,
        count(*) as version_count,
        min(told_at) as first_told_at,
        max(told_at) as last_told_at,
        min(call_id) as first_call_id,
        max(call_id) as last_call_id,
        min(load_number) as first_load_number,
        max(load_number) as last_load_number,
        min(state_order) as lowest_order,
        max(state_order) as highest_order
    from api_tellings
    group by registration_id, transaction_id

),

api_newest as (

    select *
    from api_tellings
    qualify row_number() over (
        partition by registration_id, transaction_id
        order by call_id desc nulls last, position desc nulls last
    ) = 1

),

webhook_counted as (

    select
        registration_id,
        transaction_id,
        count(*) as update_count,
        min(told_at) as first_told_at,
        max(told_at) as last_told_at,
        min(load_number) as first_load_number,
        max(load_number) as last_load_number,
        min(state_order) as lowest_order
    from webhook_tellings
    group by registration_id, transaction_id

),

webhook_furthest as (

    select *
    from webhook_tellings
    qualify row_number() over (
        partition by registration_id, transaction_id
        order by
            state_order desc nulls last, told_at desc nulls last, delivery_id desc nulls last, position desc nulls last
    ) = 1

),

api_side as (

    select
        api_newest.*,
        api_counted.version_count,
        api_counted.first_told_at,
        api_counted.last_told_at,
        api_counted.first_call_id,
        api_counted.last_call_id,
        api_counted.first_load_number,
        api_counted.last_load_number,
        api_counted.lowest_order,
        api_counted.highest_order
    from api_newest
    inner join api_counted
        on
            api_newest.registration_id = api_counted.registration_id
            and api_newest.transaction_id = api_counted.transaction_id

),

webhook_side as (

    select
        webhook_furthest.*,
        webhook_counted.update_count,
        webhook_counted.first_told_at,
        webhook_counted.last_told_at,
        webhook_counted.first_load_number,
        webhook_counted.last_load_number,
        webhook_counted.lowest_order
    from webhook_furthest
    inner join webhook_counted
        on
            webhook_furthest.registration_id = webhook_counted.registration_id
            and webhook_furthest.transaction_id = webhook_counted.transaction_id

)

select
    coalesce(api_side.registration_id, webhook_side.registration_id) as registration_id,
    coalesce(api_side.transaction_id, webhook_side.transaction_id) as transaction_id,
    api_side.transaction_id is not null as told_by_api,
    webhook_side.transaction_id is not null as told_by_webhook,

    -- The witness that told the state that stands: the API, unless the webhook told one that the API never showed.
    case
        when api_side.transaction_id is null then 'webhook'
        when webhook_side.state_order > api_side.highest_order then 'webhook'
        else 'api'
    end as standing_witness,

    coalesce(
        api_side.lowest_order < api_side.highest_order or webhook_side.lowest_order < webhook_side.state_order, false
    ) as has_several_states,

    coalesce(api_side.version_count, 0) as api_version_count,
    api_side.first_told_at as api_first_told_at,
    api_side.last_told_at as api_last_told_at,
    api_side.first_call_id as api_first_call_id,
    api_side.last_call_id as api_last_call_id,
    api_side.first_load_number as api_first_load_number,
    api_side.last_load_number as api_last_load_number,
    api_side.highest_order as api_highest_order,
    api_side.state_order as api_state_order,
    api_side.record_hash as api_record_hash,
    api_side.member_identifier as api_member_identifier,
    api_side.email as api_email,
    api_side.first_name as api_first_name,
    api_side.last_name as api_last_name,
    api_side.activity_id as api_activity_id,
    api_side.activity_title as api_activity_title,
    api_side.started_at as api_started_at,
    api_side.progress_percent as api_progress_percent,
    api_side.completed_at as api_completed_at,
    api_side.completion_code as api_completion_code,
    api_side.is_completed as api_is_completed,

    coalesce(webhook_side.update_count, 0) as webhook_update_count,
    webhook_side.first_told_at as webhook_first_told_at,
    webhook_side.last_told_at as webhook_last_told_at,
    webhook_side.first_load_number as webhook_first_load_number,
    webhook_side.last_load_number as webhook_last_load_number,
    webhook_side.state_order as webhook_state_order,
    webhook_side.record_hash as webhook_record_hash,
    webhook_side.member_identifier as webhook_member_identifier,
    webhook_side.email as webhook_email,
    webhook_side.first_name as webhook_first_name,
    webhook_side.last_name as webhook_last_name,
    webhook_side.activity_id as webhook_activity_id,
    webhook_side.activity_title as webhook_activity_title,
    webhook_side.started_at as webhook_started_at,
    webhook_side.progress_percent as webhook_progress_percent,
    webhook_side.completed_at as webhook_completed_at,
    webhook_side.completion_code as webhook_completion_code,
    webhook_side.is_completed as webhook_is_completed
from api_side
full outer join webhook_side
    on
        api_side.registration_id = webhook_side.registration_id
        and api_side.transaction_id = webhook_side.transaction_id
