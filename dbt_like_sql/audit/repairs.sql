-- One row per repair: an attempt to have the API tell what only the webhook told.
with

attempts as (

    select *
    from raw.api_windows
    where purpose = 'repair'

),

gaps as (

    select *
    from audit.gaps
    where kind in ('missing_api', 'behind_api')

),

closed as (

    select
        attempts.window_id,
        count(*) as repaired_gap_count
    from attempts
    inner join gaps
        on
            attempts.first_call_id <= gaps.told_by_call_id
            and attempts.last_call_id >= gaps.told_by_call_id
    group by attempts.window_id

),

aimed as (

    select
        attempts.window_id,
        count(*) as concerned_gap_count
    from attempts
    inner join gaps
        on
            attempts.attempted_at >= gaps.opened_at
            and (attempts.attempted_at <= gaps.closed_at or gaps.closed_at is null)
            and (
                attempts.search = gaps.registration_id
                or (
                    attempts.search is null
                    and attempts.window_start <= gaps.changed_before
                    and attempts.window_end > gaps.changed_before
                )
            )
    group by attempts.window_id

)

select
    attempts.window_id as repair_id,
    attempts.attempted_at,
    attempts.window_start,
    attempts.window_end,
    attempts.search,
    attempts.call_count,
    attempts.first_call_id,
    attempts.last_call_id,
    attempts.distinct_rows,
    attempts.is_complete,
    attempts.reason,
    coalesce(aimed.concerned_gap_count, 0) as concerned_gap_count,
    coalesce(closed.repaired_gap_count, 0) as repaired_gap_count
from attempts
left join closed on attempts.window_id = closed.window_id
left join aimed on attempts.window_id = aimed.window_id
