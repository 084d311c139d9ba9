-- One row per observed change of a registration's progress: what it was before, what after, and when.
-- A record has no modified-at. A change lies after `changed_after` and not after `changed_before`; `changed_at` is the
-- best that is known of it. Greater transaction ids are later; the states of one transaction follow their order.
with

tellings as (

    select *
    from intermediate.int_tellings_unioned
    where transaction_id is not null

),

registrations as (

    select
        registration_id,
        learner_id,
        activity_id
    from intermediate.int_registrations_merged

),

calls as (

    select
        call_id,
        window_start
    from raw.api_calls

),

states as (

    select
        tellings.registration_id,
        tellings.transaction_id,
        tellings.state_order,
        bool_or(tellings.is_completed) as is_completed,
        max(tellings.progress_percent) as progress_percent,
        max(tellings.started_at) as started_at,
        max(tellings.completed_at) as completed_at,
        max(calls.window_start) as window_start,
        min(tellings.told_at) filter (where tellings.witness = 'api') as api_told_at,
        min(tellings.told_at) filter (where tellings.witness = 'webhook') as webhook_told_at
    from tellings
    left join calls on tellings.call_id = calls.call_id
    group by tellings.registration_id, tellings.transaction_id, tellings.state_order

),

compared as (

    select
        *,
        lag(state_order) over registration_states as state_order_before,
        lag(progress_percent) over registration_states as progress_percent_before,
        lag(is_completed) over registration_states as was_completed_before,
        least(api_told_at, webhook_told_at) as told_at
    from states
    window registration_states as (
        partition by registration_id
        order by transaction_id asc nulls first, state_order asc nulls first
    )

),

changed as (

    select
        *,
        case
            when is_completed and not coalesce(was_completed_before, false) then 'completed'
            when state_order_before is null then 'started'
            else 'progressed'
        end as kind
    from compared
    where state_order_before is null or state_order <> state_order_before

),

dated as (

    select
        *,
        case
            when kind = 'completed' and completed_at <= told_at then 'completed_at'
            when kind = 'started' and progress_percent = 0.0 and started_at <= told_at then 'started_at'
            when webhook_told_at is not null then 'webhook'
            else 'api'
        end as dated_by
    from changed

)

select
    md5(
        concat_ws(
            '|', dated.registration_id, cast(dated.transaction_id as varchar), cast(dated.state_order as varchar)
        )
    ) as event_id,
    dated.registration_id,
    registrations.learner_id,
    registrations.activity_id,
    dated.transaction_id,
    dated.kind,
    dated.progress_percent_before,
    dated.progress_percent,
    coalesce(dated.was_completed_before, false) as was_completed_before,
    dated.is_completed,
    case
        when dated.dated_by = 'completed_at' then dated.completed_at
        when dated.dated_by = 'started_at' then dated.started_at
        when dated.dated_by = 'webhook' then least(dated.webhook_told_at, dated.told_at)
        else dated.told_at
    end as changed_at,
    case
        when dated.dated_by = 'completed_at' then dated.completed_at
        when dated.dated_by = 'started_at' then dated.started_at
        else least(greatest(dated.started_at, dated.window_start), dated.told_at)
    end as changed_after,
    case
        when dated.dated_by = 'completed_at' then dated.completed_at
        when dated.dated_by = 'started_at' then dated.started_at
        else dated.told_at
    end as changed_before,
    dated.dated_by,
    dated.api_told_at is not null as told_by_api,
    dated.webhook_told_at is not null as told_by_webhook
from dated
inner join registrations on dated.registration_id = registrations.registration_id
