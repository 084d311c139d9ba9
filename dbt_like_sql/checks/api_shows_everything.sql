-- What the webhook told and the API does not show, as long as it is so and repair has time; completions first, then the
-- oldest.
select
    gap_id,
    transaction_id,
    registration_id,
    update_kind,
    kind,
    cause,
    opened_at,
    repair_attempt_count,
    next_repair_at,
    'The webhook told of transaction '
    || cast(transaction_id as string)
    || ' ('
    || coalesce(update_kind, 'kind unknown')
    || '), and the API shows '
    || case when kind = 'missing_api' then 'nothing of it' else 'it less far' end
    || '; repair was tried '
    || cast(repair_attempt_count as string)
    || ' times.' as told
from audit.gaps
where kind in ('missing_api', 'behind_api') and status = 'open' and not is_overdue
order by (update_kind = 'completion') desc nulls last, opened_at asc nulls last, gap_id asc nulls last
