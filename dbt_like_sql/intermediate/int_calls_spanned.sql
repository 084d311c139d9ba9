-- One row per call that told something new: the dates in its answer, beside the span that was asked for.
-- Far is more than 15 hours, since a vendor may read a span in another zone.
-- It reads what the API told alone: among both witnesses' tellings those of the webhook all have the same call, none.
with

versions as (

    select
        call_id,
        started_at,
        completed_at,
        (completed_at is not null or completion_code is not null) as is_completed
    from staging.stg_api__progress

),

spans as (

    select
        call_id,
        count(*) as version_count,
        min(started_at) as first_started_at,
        max(started_at) as last_started_at,
        min(completed_at) as first_completed_at,
        max(completed_at) as last_completed_at,
        bool_or(not is_completed) as has_open,
        min(case when not is_completed then started_at end) as first_open_started_at,
        max(case when not is_completed then started_at end) as last_open_started_at
    from versions
    group by call_id

)

select
    spans.call_id,
    spans.version_count,
    spans.first_started_at,
    calls.window_start,
    coalesce(
        spans.first_started_at < calls.window_start or spans.last_started_at > calls.window_end, false
    ) as is_start_outside,
    spans.has_open
    or coalesce(
        spans.first_completed_at < calls.window_start or spans.last_completed_at > calls.window_end, false
    ) as is_completion_outside,
    coalesce(
        spans.first_open_started_at < seconds_after(calls.window_start, -15 * 3600)
        or spans.last_open_started_at > seconds_after(calls.window_end, 15 * 3600),
        false
    ) as is_open_start_far_outside
from spans
inner join raw.api_calls as calls on spans.call_id = calls.call_id
