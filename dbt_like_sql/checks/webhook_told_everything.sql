-- What the webhook never told, or told less far, named by the newest run: each once. What an outage lost is told by it.
select
    gaps.gap_id,
    gaps.transaction_id,
    gaps.registration_id,
    gaps.update_kind,
    gaps.kind,
    gaps.cause,
    gaps.opened_at,
    'The webhook '
    || case when gaps.kind = 'missing_webhook' then 'never told of' else 'told less far than the API of' end
    || ' transaction '
    || cast(gaps.transaction_id as string)
    || ' ('
    || coalesce(gaps.update_kind, 'kind unknown')
    || '; cause: '
    || coalesce(gaps.cause, 'unknown')
    || ').' as told
from audit.gaps as gaps
cross join intermediate.int_runs_judged as run_now
where
    gaps.kind in ('missing_webhook', 'behind_webhook')
    and gaps.outage_id is null
    and (gaps.opened_at > run_now.previous_as_of or (run_now.previous_as_of is null and gaps.opened_at is not null))
order by
    (gaps.update_kind = 'completion') desc nulls last,
    gaps.opened_at asc nulls last,
    gaps.gap_id asc nulls last
