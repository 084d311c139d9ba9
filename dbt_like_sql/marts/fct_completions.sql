-- One row per completion, once each, whatever was said twice or by both witnesses.
with

completions as (

    select * from intermediate.int_completions_identified

),

registrations as (

    select * from intermediate.int_registrations_merged

),

agreed as (

    select max(agreed_until) as agreed_until
    from audit.watermarks
    where update_kind = 'completion'

)

select
    completions.completion_id,
    completions.registration_id,
    registrations.learner_id,
    registrations.activity_id,
    registrations.activity_title,
    completions.transaction_id,
    registrations.started_at,
    completions.completed_at,
    completions.completion_code,
    completions.is_code_shared,
    completions.told_by_api,
    completions.told_by_webhook,
    completions.first_told_at,
    completions.last_told_at,
    completions.first_told_at < agreed.agreed_until as is_below_watermark
from completions
inner join registrations on completions.registration_id = registrations.registration_id
cross join agreed
