-- One row per transaction (of one registration): matched, or how the witnesses differ.
-- The verdict is the kind of the newest gap that is not closed, or else what stands now. The status says whether
-- anybody is owed anything: that of the newest gap, or why there never was one.
with

transactions as (

    select * from intermediate.int_transactions_witnessed

),

gaps as (

    select
        gap_id,
        registration_id,
        transaction_id,
        kind,
        status,
        cause,
        is_recovered,
        told_by_call_id,
        differing_fields,
        differing_values
    from audit.gaps
    qualify row_number() over (
        partition by registration_id, transaction_id
        order by
            (status in ('open', 'suspected')) desc nulls last,
            first_seen_at desc nulls last,
            gap_id desc nulls last
    ) = 1

)

select
    transactions.transaction_id,
    transactions.registration_id,
    case
        when gaps.status <> 'repaired' then gaps.kind
        when not transactions.told_by_webhook then 'missing_webhook'
        when not transactions.told_by_api then 'missing_api'
        when transactions.api_highest_order > transactions.webhook_state_order then 'behind_webhook'
        when transactions.api_highest_order < transactions.webhook_state_order then 'behind_api'
        else 'matched'
    end as verdict,
    case
        when gaps.gap_id is not null then gaps.status
        when not transactions.told_by_webhook then 'before_webhook'
        when not transactions.told_by_api then 'overtaken'
        when transactions.api_highest_order > transactions.webhook_state_order then 'before_webhook'
        when transactions.api_highest_order < transactions.webhook_state_order then 'overtaken'
        else 'matched'
    end as status,
    gaps.gap_id,
    gaps.kind as gap_kind,
    gaps.cause,
    coalesce(gaps.is_recovered, false) as is_recovered,
    case when gaps.is_recovered then gaps.told_by_call_id end as recovered_by_call_id,
    gaps.differing_fields,
    gaps.differing_values,
    transactions.told_by_api,
    transactions.told_by_webhook,
    transactions.api_state_order - case when transactions.api_state_order >= 1000.0 then 1000.0 else 0.0 end
        as api_progress_percent,
    transactions.webhook_state_order - case when transactions.webhook_state_order >= 1000.0 then 1000.0 else 0.0 end
        as webhook_progress_percent,
    transactions.api_state_order >= 1000.0 as api_is_completed,
    transactions.webhook_state_order >= 1000.0 as webhook_is_completed,
    transactions.api_version_count,
    transactions.webhook_update_count,
    transactions.api_first_told_at,
    transactions.api_last_told_at,
    transactions.webhook_first_told_at,
    transactions.webhook_last_told_at,
    transactions.api_first_call_id,
    transactions.api_last_call_id
from transactions
left join gaps
    on
        transactions.registration_id = gaps.registration_id
        and transactions.transaction_id = gaps.transaction_id
