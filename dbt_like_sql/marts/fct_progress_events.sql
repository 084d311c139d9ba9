-- One row per observed change of a registration's progress: what it was before, what after, and when.
-- A record has no modified-at. A change lies after `changed_after` and not after `changed_before`; `changed_at` is the
-- best that is known of it. Greater transaction ids are later; the states of one transaction follow their order, and
-- begin anew where the API showed it further and then less far.
with

tellings as (

    select *
    from intermediate.int_tellings_unioned
    where transaction_id is not null

),

several as (

    select
        registration_id,
        transaction_id
    from intermediate.int_transactions_witnessed
    where api_version_count > 1 and has_several_states

),

compared_versions as (

    select
        tellings.registration_id,
        tellings.transaction_id,
        tellings.state_order,
        lag(tellings.state_order) over (
            partition by tellings.registration_id, tellings.transaction_id
            order by tellings.call_id asc nulls first, tellings.position asc nulls first
        ) as state_order_before,
        tellings.call_id,
        tellings.position
    from tellings
    inner join several
        on tellings.registration_id = several.registration_id and tellings.transaction_id = several.transaction_id
    where tellings.witness = 'api'

),

falls as (

    select
        registration_id,
        transaction_id,
        call_id,
        position
    from compared_versions
    where state_order < state_order_before

),

fallen as (

    select distinct
        registration_id,
        transaction_id
    from falls

),

told_as_fallen as (

    select
        tellings.*,
        count(falls.call_id) over (
            partition by tellings.registration_id, tellings.transaction_id
            order by
                tellings.told_at asc nulls first,
                tellings.call_id asc nulls last,
                tellings.delivery_id asc nulls last,
                tellings.position asc nulls last
            rows between unbounded preceding and current row
        ) as leg
    from tellings
    inner join fallen
        on tellings.registration_id = fallen.registration_id and tellings.transaction_id = fallen.transaction_id
    left join falls
        on
            tellings.registration_id = falls.registration_id
            and tellings.transaction_id = falls.transaction_id
            and tellings.call_id = falls.call_id
            and tellings.position = falls.position

),

told_in_order as (

    select
        tellings.*,
        cast(0 as bigint) as leg
    from tellings
    left join fallen
        on tellings.registration_id = fallen.registration_id and tellings.transaction_id = fallen.transaction_id
    where fallen.registration_id is null

    union all

    select * from told_as_fallen

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
        told.registration_id,
        told.transaction_id,
        told.leg,
        told.state_order,
        bool_or(told.is_completed) as is_completed,
        max(told.progress_percent) as progress_percent,
        max(told.started_at) as started_at,
        max(told.completed_at) as completed_at,
        min_by(calls.window_start, told.call_id) as window_start,
        min(told.told_at) filter (where told.witness = 'api') as api_told_at,
        min(told.told_at) filter (where told.witness = 'webhook') as webhook_told_at
    from told_in_order as told
    left join calls on told.call_id = calls.call_id
    group by told.registration_id, told.transaction_id, told.leg, told.state_order

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
        order by transaction_id asc nulls first, leg asc nulls first, state_order asc nulls first
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
            when webhook_told_at <= told_at then 'webhook'
            else 'api'
        end as dated_by
    from changed

)

select
    md5(
        concat_ws(
            '|',
            dated.registration_id,
            cast(dated.transaction_id as string),
            cast(dated.leg as string),
            cast(dated.state_order as string)
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
        else dated.told_at
    end as changed_at,
    case
        when dated.dated_by = 'completed_at' then dated.completed_at
        when dated.dated_by = 'started_at' then dated.started_at
        -- What the API was asked for bounds what it told first; a later answer with the same state says nothing of it.
        when dated.dated_by = 'api' then least(greatest(dated.started_at, dated.window_start), dated.told_at)
        else least(dated.started_at, dated.told_at)
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
