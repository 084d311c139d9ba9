-- One row per outage: a span in which the webhook was silent and the API was not.
-- A span between two deliveries (or after the last one) is an outage if at least three changes surely fell in it of
-- which the webhook told none in time. Fewer may be single losses.
with

deliveries as (

    select
        received_at as silent_from,
        lead(received_at) over (order by received_at asc nulls first, delivery_id asc nulls first) as silent_until
    from raw.webhook_deliveries

),

lost as (

    select *
    from intermediate.int_disagreements_judged
    where failing_witness = 'webhook' and opened_at is not null

),

silences as (

    select
        deliveries.silent_from,
        max(deliveries.silent_until) as silent_until,
        count(*) as updates_lost,
        cast(sum(case when lost.is_completed then 1 else 0 end) as bigint) as completions_lost,
        cast(sum(case when lost.settled_at is null then 1 else 0 end) as bigint) as never_told_count,
        min(lost.changed_before) as first_lost_at,
        max(lost.changed_before) as last_lost_at,
        min(lost.opened_at) as first_seen_at
    from deliveries
    inner join lost
        on
            deliveries.silent_from <= lost.changed_after
            and lost.changed_after <= lost.changed_before
            and (deliveries.silent_until >= lost.changed_before or deliveries.silent_until is null)
    group by deliveries.silent_from
    having count(*) >= 3

),

-- What is not known to the instant may belong to an outage that its bounds overlap.
possible as (

    select
        silences.silent_from,
        count(*) as possible_count
    from silences
    inner join lost
        on
            silences.silent_from < lost.changed_before
            and (silences.silent_until > lost.changed_after or silences.silent_until is null)
    group by silences.silent_from

),

refused as (

    select
        silences.silent_from,
        cast(sum(refusals.refusal_count) as bigint) as refusal_count
    from silences
    inner join raw.webhook_refusals as refusals
        on
            silences.silent_from <= coalesce(refusals.until_at, refusals.refused_at)
            and (silences.silent_until >= refusals.refused_at or silences.silent_until is null)
    group by silences.silent_from

)

select
    md5('outage|' || cast(silences.silent_from as string)) as outage_id,
    silences.silent_from as started_at,
    silences.silent_until as ended_at,
    silences.silent_until is null as is_ongoing,
    case when refused.refusal_count > 0 then 'receiver_refusing' else 'sender_silent' end as cause,
    coalesce(refused.refusal_count, 0) as refusal_count,
    silences.updates_lost,
    possible.possible_count as updates_lost_at_most,
    silences.completions_lost,
    silences.never_told_count,
    cast(0 as bigint) as still_missing_count,
    silences.first_lost_at,
    silences.last_lost_at,
    silences.first_seen_at
from silences
inner join possible on silences.silent_from = possible.silent_from
left join refused on silences.silent_from = refused.silent_from
