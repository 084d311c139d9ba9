-- Outages that last, or that the newest run saw first.
select
    outages.outage_id,
    outages.started_at,
    outages.ended_at,
    outages.cause,
    outages.updates_lost,
    outages.completions_lost,
    case
        when outages.is_ongoing
            then
                'The webhook is silent since '
                || cast(outages.started_at as string)
                || ' UTC, and the API showed '
                || cast(outages.updates_lost as string)
                || ' changes since then.'
        else
            'The webhook was silent from '
            || cast(outages.started_at as string)
            || ' to '
            || cast(outages.ended_at as string)
            || ' UTC, and '
            || cast(outages.updates_lost as string)
            || ' changes of that time were never pushed, or too late.'
    end as told
from audit.webhook_outages as outages
cross join intermediate.int_runs_judged as run_now
where
    outages.is_ongoing
    or run_now.previous_as_of is null
    or outages.first_seen_at > run_now.previous_as_of
order by outages.is_ongoing desc nulls last, outages.started_at asc nulls last
