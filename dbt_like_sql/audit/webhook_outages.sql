-- One row per outage: a span in which the webhook was silent and the API was not.
-- A silence of a quarter of an hour or more is an outage if changes of at least three different seconds fell in it of
-- which the webhook told none in time. Fewer are single losses. Changes that nothing dates count towards the longest
-- silence that they may have fallen in, two at the most, where what was lost is a fair part of what is usual.
with

run_now as (

    select as_of
    from intermediate.int_runs_judged

),

days as (

    select
        *,
        lead(first_received_at) over (order by received_day asc nulls first) as next_received_at
    from intermediate.int_webhook_days_summed

),

lost as (

    select
        *,
        -- In place, a registration of which nothing was told lost its start, and that has a date.
        case
            when changed_after = changed_before then changed_before
            when not gives_each_update_an_id and other_first_told_at is null then started_at
        end as lost_at
    from intermediate.int_disagreements_judged
    where failing_witness = 'webhook' and opened_at is not null

),

-- A delivery that came late is a sign of life of the past, and interrupts no silence.
late_deliveries as (

    select distinct same_told_at as received_at
    from lost
    where same_told_at is not null

),

parts as (

    select
        silent_from,
        silent_until
    from intermediate.int_silences_found

    union all

    select
        last_received_at as silent_from,
        next_received_at as silent_until
    from days
    where next_received_at is null or seconds_between(last_received_at, next_received_at) >= 900.0

),

marked as (

    select
        parts.silent_from,
        parts.silent_until,
        case
            when
                late_deliveries.received_at is not null
                and lag(parts.silent_until) over (order by parts.silent_from asc nulls first) = parts.silent_from
                then 0
            else 1
        end as is_beginning
    from parts
    left join late_deliveries on parts.silent_from = late_deliveries.received_at

),

numbered as (

    select
        *,
        cast(
            sum(is_beginning) over (
                order by silent_from asc nulls first
                rows between unbounded preceding and current row
            ) as bigint
        ) as silence_number
    from marked

),

silences as (

    select
        min(numbered.silent_from) as silent_from,
        case when count(*) = count(numbered.silent_until) then max(numbered.silent_until) end as silent_until,
        max(coalesce(numbered.silent_until, run_now.as_of)) as silent_to
    from numbered
    cross join run_now
    group by numbered.silence_number

),

-- Known to have fallen in a silence: by its date, or because both its bounds lie in it.
sure as (

    select
        silences.silent_from,
        lost.*
    from lost
    inner join silences
        on
            silences.silent_from <= coalesce(lost.lost_at, lost.changed_after)
            and silences.silent_to >= coalesce(lost.lost_at, lost.changed_before)

),

-- Of the silences that an undated change may have fallen in, the one with the most room for it.
likely as (

    select
        silences.silent_from,
        lost.*
    from lost
    inner join silences on lost.changed_after < silences.silent_to and lost.changed_before > silences.silent_from
    where lost.lost_at is null
    qualify row_number() over (
        partition by lost.registration_id, lost.transaction_id, lost.state_order
        order by
            seconds_between(
                greatest(lost.changed_after, silences.silent_from), least(lost.changed_before, silences.silent_to)
            ) desc nulls last,
            silences.silent_from asc nulls last
    ) = 1

),

-- What surely fell in a silence is among what likely did, unless it has a date.
fallen as (

    select
        *,
        true as is_sure
    from sure

    union all

    select
        likely.*,
        false as is_sure
    from likely
    left join sure
        on
            likely.registration_id = sure.registration_id
            and likely.transaction_id = sure.transaction_id
            and likely.state_order = sure.state_order
    where sure.registration_id is null

),

weighed as (

    select
        silences.silent_from,
        silences.silent_until,
        silences.silent_to,
        count(distinct date_trunc('second', fallen.lost_at)) as instant_count,
        count(*) filter (where fallen.lost_at is null) as undated_count,
        count(*) as updates_lost_at_most,
        count(*) filter (where fallen.is_sure) as updates_lost,
        count(*) filter (where fallen.is_completed) as completions_lost,
        count(*) filter (where fallen.same_told_at is null) as never_told_count,
        min(coalesce(fallen.lost_at, fallen.changed_before)) as first_lost_at,
        max(coalesce(fallen.lost_at, fallen.changed_before)) as last_lost_at,
        min(fallen.opened_at) as first_seen_at
    from silences
    inner join fallen on silences.silent_from = fallen.silent_from
    group by silences.silent_from, silences.silent_until, silences.silent_to

),

-- What the webhook told per hour in the days around.
usual as (

    select
        weighed.silent_from,
        avg(cast(days.update_count as double)) / 24.0 as updates_per_hour
    from weighed
    inner join days
        on
            days.first_received_at >= seconds_after(weighed.silent_from, -259200)
            and days.first_received_at <= seconds_after(weighed.silent_to, 259200)
    group by weighed.silent_from

),

outages as (

    select weighed.*
    from weighed
    left join usual on weighed.silent_from = usual.silent_from
    where
        weighed.instant_count >= 3
        or (
            weighed.instant_count + least(weighed.undated_count, 2) >= 3
            and weighed.updates_lost_at_most >= 0.2
            * coalesce(usual.updates_per_hour, 0.0)
            * seconds_between(weighed.silent_from, weighed.silent_to)
            / 3600.0
        )

),

refused as (

    select
        outages.silent_from,
        cast(sum(refusals.refusal_count) as bigint) as refusal_count
    from outages
    inner join raw.webhook_refusals as refusals
        on
            outages.silent_from <= coalesce(refusals.until_at, refusals.refused_at)
            and outages.silent_to >= refusals.refused_at
    group by outages.silent_from

),

covered as (

    select outages.silent_from
    from outages
    inner join intermediate.int_coverage_joined as spans
        on outages.silent_from >= spans.covered_from and outages.silent_to <= spans.covered_until

)

select
    md5('outage|' || cast(outages.silent_from as string)) as outage_id,
    outages.silent_from as started_at,
    outages.silent_until as ended_at,
    outages.silent_until is null as is_ongoing,
    case when refused.refusal_count > 0 then 'receiver_refusing' else 'sender_silent' end as cause,
    coalesce(refused.refusal_count, 0) as refusal_count,
    outages.updates_lost,
    outages.updates_lost_at_most,
    outages.completions_lost,
    outages.never_told_count,
    -- What is known to be lost the API told, so the copy has it; that is all, once the API told of all the time.
    case when covered.silent_from is not null then cast(0 as bigint) end as still_missing_count,
    outages.first_lost_at,
    outages.last_lost_at,
    outages.first_seen_at
from outages
left join refused on outages.silent_from = refused.silent_from
left join covered on outages.silent_from = covered.silent_from
