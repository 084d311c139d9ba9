-- Gaps that repair could not close within its limit: a completion within two days, anything else within a week.
select
    gaps.gap_id,
    gaps.transaction_id,
    gaps.registration_id,
    gaps.update_kind,
    gaps.cause,
    gaps.opened_at
from audit.gaps as gaps
cross join intermediate.int_runs_judged as run_now
where
    gaps.status = 'open'
    and gaps.kind in ('missing_api', 'behind_api')
    and gaps.opened_at < seconds_after(
        run_now.as_of, case when gaps.update_kind = 'completion' then -172800.0 else -604800.0 end
    )
