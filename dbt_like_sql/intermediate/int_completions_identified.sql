-- One row per completion, once each, whatever was said twice or by both witnesses, under an id that is its own.
-- A code that several registrations claim is the completion of the first; the others go by their registration too.
with

claimed as (

    select * from intermediate.int_completions_claimed

),

ranked as (

    select
        *,
        row_number() over (
            partition by claimed_id
            order by completed_at asc nulls last, registration_id asc nulls last
        ) as claim_rank
    from claimed

)

select
    case when claim_rank = 1 then claimed_id else claimed_id || ':' || registration_id end as completion_id,
    claimed_id,
    claimed_number,
    registration_id,
    transaction_id,
    completed_at,
    completion_code,
    claim_rank > 1 as is_code_shared,
    told_by_api,
    told_by_webhook,
    first_told_at,
    last_told_at
from ranked
