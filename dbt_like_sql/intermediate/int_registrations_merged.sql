-- One row per registration: where it stands now, by both witnesses together.
-- The newest transaction, which has the greatest id, says where it stands; within a transaction the standing witness
-- does. A completion once told stays told. A learner is known by the member identifier; without one by the e-mail
-- address, in lower case; without either each registration has a learner of its own.
with

transactions as (

    select * from intermediate.int_transactions_witnessed

),

standing as (

    select
        *,
        standing_witness = 'webhook' as is_by_webhook,
        case
            when standing_witness = 'webhook' then webhook_last_told_at
            when api_state_order = webhook_state_order then least(api_last_told_at, webhook_last_told_at)
            else api_last_told_at
        end as standing_told_at
    from transactions

),

newest as (

    select
        registration_id,
        transaction_id,
        standing_witness,
        standing_told_at,
        case
            when is_by_webhook then coalesce(webhook_member_identifier, api_member_identifier)
            else coalesce(api_member_identifier, webhook_member_identifier)
        end as member_identifier,
        case
            when is_by_webhook then coalesce(webhook_email, api_email) else coalesce(api_email, webhook_email)
        end as email,
        case
            when is_by_webhook then coalesce(webhook_first_name, api_first_name)
            else coalesce(api_first_name, webhook_first_name)
        end as first_name,
        case
            when is_by_webhook then coalesce(webhook_last_name, api_last_name)
            else coalesce(api_last_name, webhook_last_name)
        end as last_name,
        case
            when is_by_webhook then coalesce(webhook_activity_id, api_activity_id)
            else coalesce(api_activity_id, webhook_activity_id)
        end as activity_id,
        case
            when is_by_webhook then coalesce(webhook_activity_title, api_activity_title)
            else coalesce(api_activity_title, webhook_activity_title)
        end as activity_title,
        case
            when is_by_webhook then coalesce(webhook_started_at, api_started_at)
            else coalesce(api_started_at, webhook_started_at)
        end as started_at,
        case
            when is_by_webhook then coalesce(webhook_progress_percent, api_progress_percent)
            else coalesce(api_progress_percent, webhook_progress_percent)
        end as progress_percent
    from standing
    qualify row_number() over (partition by registration_id order by transaction_id desc nulls last) = 1

),

completed as (

    select
        registration_id,
        case
            when is_by_webhook then coalesce(webhook_completed_at, api_completed_at)
            else coalesce(api_completed_at, webhook_completed_at)
        end as completed_at,
        case
            when is_by_webhook then coalesce(webhook_completion_code, api_completion_code)
            else coalesce(api_completion_code, webhook_completion_code)
        end as completion_code
    from standing
    where coalesce(api_highest_order, 0.0) >= 1000.0 or coalesce(webhook_is_completed, false)
    qualify row_number() over (partition by registration_id order by transaction_id desc nulls last) = 1

),

calls as (

    select
        call_id,
        window_start,
        window_end
    from raw.api_calls

),

-- What the API showed of a registration in one answer, and whether the dates lay in the span that was asked for.
answers as (

    select
        registration_id,
        api_first_call_id,
        count(*) as transaction_count
    from standing
    where told_by_api
    group by registration_id, api_first_call_id

),

several as (

    select
        registration_id,
        max(transaction_count) > 1 as has_several_in_one_answer
    from answers
    group by registration_id

),

spans as (

    select
        standing.registration_id,
        bool_or(
            standing.api_started_at < calls.window_start or standing.api_started_at > calls.window_end
        ) as is_shown_outside_start,
        bool_or(
            standing.api_completed_at is null
            or standing.api_completed_at < calls.window_start
            or standing.api_completed_at > calls.window_end
        ) as is_shown_outside_completion
    from standing
    inner join calls on standing.api_last_call_id = calls.call_id
    group by standing.registration_id

),

summed as (

    select
        registration_id,
        count(*) as transaction_count,
        bool_or(told_by_api) as told_by_api,
        bool_or(told_by_webhook) as told_by_webhook,
        bool_or(has_several_states) as has_several_states,
        min(api_started_at) as api_started_at,
        min(webhook_started_at) as webhook_started_at,
        least(min(api_first_told_at), min(webhook_first_told_at)) as first_told_at,
        greatest(max(api_last_told_at), max(webhook_last_told_at)) as last_told_at
    from transactions
    group by registration_id

)

select
    newest.registration_id,
    coalesce(
        newest.member_identifier, lower(newest.email), 'registration:' || newest.registration_id
    ) as learner_id,
    newest.activity_id,
    newest.activity_title,
    newest.first_name,
    newest.last_name,
    newest.email,
    newest.member_identifier,
    coalesce(newest.started_at, summed.api_started_at, summed.webhook_started_at) as started_at,
    newest.progress_percent,
    completed.registration_id is not null as is_completed,
    completed.completed_at,
    completed.completion_code,
    newest.transaction_id,
    summed.transaction_count,
    newest.standing_witness as told_last_by,
    summed.told_by_api,
    summed.told_by_webhook,
    summed.first_told_at,
    summed.last_told_at,
    newest.standing_told_at,
    summed.has_several_states,
    coalesce(several.has_several_in_one_answer, false) as has_several_in_one_answer,
    coalesce(spans.is_shown_outside_start, false) as is_shown_outside_start,
    coalesce(spans.is_shown_outside_completion, false) as is_shown_outside_completion
from newest
inner join summed on newest.registration_id = summed.registration_id
left join several on newest.registration_id = several.registration_id
left join spans on newest.registration_id = spans.registration_id
left join completed on newest.registration_id = completed.registration_id
