-- One row per registration: where the learner stands now, and which witness said so.
with

registrations as (

    select * from intermediate.int_registrations_merged

),

agreed as (

    select
        max(case when update_kind = 'started' then agreed_until end) as starts_agreed_until,
        max(case when update_kind = 'progressed' then agreed_until end) as progress_agreed_until,
        max(case when update_kind = 'completion' then agreed_until end) as completions_agreed_until
    from audit.watermarks

)

select
    registrations.registration_id,
    registrations.learner_id,
    registrations.activity_id,
    registrations.activity_title,
    registrations.first_name,
    registrations.last_name,
    registrations.email,
    registrations.member_identifier,
    registrations.started_at,
    registrations.progress_percent,
    registrations.is_completed,
    registrations.completed_at,
    registrations.completion_code,
    registrations.transaction_id,
    registrations.transaction_count,
    registrations.told_last_by,
    registrations.told_by_api,
    registrations.told_by_webhook,
    registrations.first_told_at,
    registrations.last_told_at,
    registrations.standing_told_at < case
        when registrations.is_completed then agreed.completions_agreed_until
        when registrations.progress_percent = 0.0 then agreed.starts_agreed_until
        else agreed.progress_agreed_until
    end as is_below_watermark
from registrations
cross join agreed
