-- Transactions of which the witnesses tell different values, named by the newest run: each once.
select
    gaps.gap_id,
    gaps.transaction_id,
    gaps.registration_id,
    gaps.differing_fields,
    gaps.differing_values,
    gaps.opened_at,
    'Of transaction '
    || cast(gaps.transaction_id as string)
    || ' the witnesses tell differently: '
    || gaps.differing_fields
    || '.' as told
from audit.gaps as gaps
cross join intermediate.int_runs_judged as run_now
where
    gaps.kind = 'field_mismatch'
    and (gaps.opened_at > run_now.previous_as_of or (run_now.previous_as_of is null and gaps.opened_at is not null))
order by gaps.opened_at asc nulls last, gaps.gap_id asc nulls last
