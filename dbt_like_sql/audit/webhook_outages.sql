-- One row per outage: a span in which the webhook was silent and the API was not.
-- A span between two deliveries (or after the last one) is an outage if at least three changes fell in it that the API
-- told, that the vendor dated within it, and of which the webhook told none in time. Fewer may be single losses.
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
        count(*) as dated_count,
        min(lost.opened_at) as first_opened_at
    from deliveries
    inner join lost
        on
            lost.is_dated
            and deliveries.silent_from < lost.changed_before
            and (deliveries.silent_until > lost.changed_before or deliveries.silent_until is null)
    group by deliveries.silent_from
    having count(*) >= 3

),

refusals as (

    select
        refused_at,
        coalesce(until_at, refused_at) as refused_until,
        refusal_count
    from raw.webhook_refusals

),

refused as (

    select
        silences.silent_from,
        cast(sum(refusals.refusal_count) as bigint) as refusal_count
    from silences
    inner join refusals
        on
            silences.silent_from <= refusals.refused_until
            and (silences.silent_until >= refusals.refused_at or silences.silent_until is null)
    group by silences.silent_from

),

-- What is not dated to the instant belongs to an outage that its bounds overlap.
losses as (

    select
        silences.silent_from,
        count(*) as updates_lost,
        cast(sum(case when lost.settled_at is null then 1 else 0 end) as bigint) as never_told_count,
        cast(sum(case when lost.is_completed then 1 else 0 end) as bigint) as completions_lost,
        min(lost.changed_before) as first_lost_at,
        max(lost.changed_before) as last_lost_at
    from silences
    inner join lost
        on
            silences.silent_from < lost.changed_before
            and (silences.silent_until > lost.changed_after or silences.silent_until is null)
    group by silences.silent_from

)

select
    md5(concat_ws('|', 'outage', cast(silences.silent_from as varchar))) as outage_id,
    silences.silent_from as started_at,
    silences.silent_until as ended_at,
    silences.silent_until is null as is_ongoing,
    case when refused.refusal_count > 0 then 'receiver_refusing' else 'sender_silent' end as cause,
    coalesce(refused.refusal_count, 0) as refusal_count,
    losses.updates_lost,
    losses.completions_lost,
    losses.never_told_count,
    cast(0 as bigint) as still_missing_count,
    losses.first_lost_at,
    losses.last_lost_at,
    silences.first_opened_at as first_seen_at
from silences
inner join losses on silences.silent_from = losses.silent_from
left join refused on silences.silent_from = refused.silent_from
