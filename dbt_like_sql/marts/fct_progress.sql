-- One row per registration: where the learner stands now, and which witness said so.
with

registrations as (

    select * from intermediate.int_registrations_merged

)

select
    registration_id,
    learner_id,
    activity_id,
    activity_title,
    first_name,
    last_name,
    email,
    member_identifier,
    started_at,
    progress_percent,
    is_completed,
    completed_at,
    completion_code,
    transaction_id,
    transaction_count,
    told_last_by,
    told_by_api,
    told_by_webhook,
    first_told_at,
    last_told_at
from registrations
