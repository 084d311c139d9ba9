-- One row per telling: a version of a record from the API, or an update from the webhook.
-- Two rules stand here and nowhere else. A telling tells of a completion if it has a date of completion or a
-- completion code, or is an update of kind completion; a progress of 100 alone is none. `state_order` ranks the states
-- of one transaction: completed after not completed, then by progress, of which no odd value makes a completion.
with

api_versions as (

    select * from staging.stg_api__progress

),

webhook_updates as (

    select * from staging.stg_webhook__updates

),

unioned as (

    select
        'api' as witness,
        transaction_id,
        registration_id,
        member_identifier,
        email,
        first_name,
        last_name,
        activity_id,
        activity_title,
        started_at,
        progress_percent,
        completed_at,
        completion_code,
        (completed_at is not null or completion_code is not null) as is_completed,
        unread_fields,
        record_hash,
        observed_at as told_at,
        call_id,
        cast(null as string) as delivery_id,
        cast(null as string) as kind,
        position,
        load_number
    from api_versions

    union all

    select
        'webhook' as witness,
        transaction_id,
        registration_id,
        member_identifier,
        email,
        first_name,
        last_name,
        activity_id,
        activity_title,
        started_at,
        progress_percent,
        completed_at,
        completion_code,
        (completed_at is not null or completion_code is not null or kind = 'completion') as is_completed,
        unread_fields,
        record_hash,
        received_at as told_at,
        cast(null as bigint) as call_id,
        delivery_id,
        kind,
        position,
        load_number
    from webhook_updates

)

select
    *,
    text_number(registration_id) as registration_number,
    case when is_completed then 1000.0 else 0.0 end
    + least(greatest(coalesce(progress_percent, 0.0), 0.0), 999.0) as state_order
from unioned
