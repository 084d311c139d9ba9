-- One row per gap that the API owes an answer to: what planning a repair needs to know of it.
select
    gap_id,
    registration_id,
    update_kind,
    changed_before as told_at,
    started_at,
    completed_at,
    repair_attempt_count as attempt_count,
    next_repair_at as next_try_at
from audit.gaps
where status = 'open' and kind in ('missing_api', 'behind_api')
