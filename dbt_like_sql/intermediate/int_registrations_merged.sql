-- One row per registration: where it stands now, by both witnesses together.
-- The newest transaction, which has the greatest id, says where it stands. Within a transaction the API does, unless
-- the webhook told a state that the API never showed; where each update has its own transaction that is no news.
-- What the one leaves out comes from the other. A completion once told stays told. A learner is known by the member
-- identifier; without one by the e-mail address, in lower case; without either each registration has its own.
with

transactions as (

    select
        witnessed.*,
        case
            when not witnessed.told_by_api then 'webhook'
            when habits.gives_each_update_an_id then 'api'
            when witnessed.webhook_state_order > witnessed.api_highest_order then 'webhook'
            else 'api'
        end as standing_witness
    from intermediate.int_transactions_witnessed as witnessed
    cross join intermediate.int_vendor_habits_found as habits

),

newest as (

    select
        registration_id,
        transaction_id,
        standing_witness,
        case
            when standing_witness = 'webhook' then webhook_last_told_at
            when api_state_order = webhook_state_order then least(api_last_told_at, webhook_last_told_at)
            else api_last_told_at
        end as standing_told_at
    from transactions
    qualify row_number() over (partition by registration_id order by transaction_id desc nulls last) = 1

),

-- Of the newest transaction the API's newest version and the webhook's furthest state.
told as (

    select
        tellings.registration_id,
        tellings.transaction_id,
        tellings.witness,
        tellings.member_identifier,
        tellings.email,
        tellings.first_name,
        tellings.last_name,
        tellings.activity_id,
        tellings.activity_title,
        tellings.started_at,
        tellings.progress_percent,
        newest.standing_told_at,
        tellings.witness = newest.standing_witness as is_standing
    from intermediate.int_tellings_unioned as tellings
    inner join newest
        on tellings.registration_id = newest.registration_id and tellings.transaction_id = newest.transaction_id
    qualify row_number() over (
        partition by tellings.registration_id, tellings.witness
        order by
            case when tellings.witness = 'webhook' then tellings.state_order end desc nulls last,
            tellings.call_id desc nulls last,
            tellings.told_at desc nulls last,
            tellings.delivery_id desc nulls last,
            tellings.position desc nulls last
    ) = 1

),

merged as (

    select
        standing.registration_id,
        standing.transaction_id,
        standing.witness as told_last_by,
        standing.standing_told_at,
        coalesce(standing.member_identifier, other.member_identifier) as member_identifier,
        coalesce(standing.email, other.email) as email,
        coalesce(standing.first_name, other.first_name) as first_name,
        coalesce(standing.last_name, other.last_name) as last_name,
        coalesce(standing.activity_id, other.activity_id) as activity_id,
        coalesce(standing.activity_title, other.activity_title) as activity_title,
        coalesce(standing.started_at, other.started_at) as started_at,
        coalesce(standing.progress_percent, other.progress_percent) as progress_percent
    from told as standing
    left join told as other on standing.registration_id = other.registration_id and not other.is_standing
    where standing.is_standing

),

identified as (

    select
        *,
        coalesce(member_identifier, lower(email), 'registration:' || registration_id) as learner_id
    from merged

),

completions as (

    select
        registration_id,
        completed_at,
        completion_code
    from intermediate.int_completions_claimed
    qualify row_number() over (
        partition by registration_id
        order by transaction_id desc nulls last, completed_at desc nulls last, claimed_id desc nulls last
    ) = 1

),

counted as (

    select * from intermediate.int_registrations_counted

)

select
    identified.registration_id,
    counted.registration_number,
    identified.learner_id,
    text_number(identified.learner_id) as learner_number,
    identified.activity_id,
    identified.activity_title,
    identified.first_name,
    identified.last_name,
    identified.email,
    identified.member_identifier,
    identified.started_at,
    identified.progress_percent,
    completions.registration_id is not null as is_completed,
    completions.completed_at,
    completions.completion_code,
    identified.transaction_id,
    counted.transaction_count,
    identified.told_last_by,
    counted.told_by_api,
    counted.told_by_webhook,
    counted.first_told_at,
    counted.last_told_at,
    identified.standing_told_at
from identified
inner join counted on identified.registration_id = counted.registration_id
left join completions on identified.registration_id = completions.registration_id
