-- One row per completion of a registration, under the id that it claims.
-- The vendor's code is that id where it has the form of a UUID; anything else given as a code names nothing, and the
-- completion goes by its registration. Of two codes that the witnesses give for one transaction and date the API's
-- counts. A telling without a code belongs to the completion of its registration that has one, the newest if there are
-- several.
with

tellings as (

    select
        registration_id,
        registration_number,
        transaction_id,
        witness,
        completed_at,
        completion_code,
        told_at,
        case when completion_code like '________-____-____-____-____________' then completion_code end as claim
    from intermediate.int_tellings_unioned
    where is_completed

),

-- The code by which a transaction's completion goes.
settled as (

    select
        registration_id,
        transaction_id,
        completed_at,
        claim as settled_claim,
        told_at
    from tellings
    where claim is not null
    qualify row_number() over (
        partition by registration_id, transaction_id, completed_at
        order by witness asc nulls last, told_at desc nulls last, claim desc nulls last
    ) = 1

),

newest_claims as (

    select
        registration_id,
        settled_claim as newest_claim
    from settled
    qualify row_number() over (
        partition by registration_id
        order by transaction_id desc nulls last, told_at desc nulls last, settled_claim desc nulls last
    ) = 1

),

claimed as (

    select
        tellings.*,
        case when tellings.claim is not null then settled.settled_claim else newest_claims.newest_claim end as claimed
    from tellings
    left join settled
        on
            tellings.registration_id = settled.registration_id
            and tellings.transaction_id is not distinct from settled.transaction_id
            and tellings.completed_at is not distinct from settled.completed_at
    left join newest_claims on tellings.registration_id = newest_claims.registration_id

)

select
    coalesce(claimed, 'registration:' || registration_id) as claimed_id,
    text_number(coalesce(claimed, 'registration:' || registration_id)) as claimed_number,
    registration_id,
    max(registration_number) as registration_number,
    coalesce(max(completed_at) filter (where witness = 'api'), max(completed_at)) as completed_at,
    coalesce(max(claimed), max(completion_code)) as completion_code,
    max(transaction_id) as transaction_id,
    bool_or(witness = 'api') as told_by_api,
    bool_or(witness = 'webhook') as told_by_webhook,
    min(told_at) as first_told_at,
    max(told_at) as last_told_at
from claimed
group by coalesce(claimed, 'registration:' || registration_id), registration_id
