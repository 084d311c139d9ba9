-- One row per registration: its transactions, counted.
select
    registration_id,
    max(registration_number) as registration_number,
    count(*) as transaction_count,
    max(transaction_id) as newest_transaction_id,
    bool_or(told_by_api) as told_by_api,
    bool_or(told_by_webhook) as told_by_webhook,
    bool_or(has_several_states) as has_several_states,
    count(api_first_call_id) > count(distinct api_first_call_id) as has_several_in_one_answer,
    least(min(api_first_told_at), min(webhook_first_told_at)) as first_told_at,
    greatest(max(api_last_told_at), max(webhook_last_told_at)) as last_told_at
from intermediate.int_transactions_witnessed
group by registration_id
