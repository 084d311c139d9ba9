-- One row per state of a transaction that one witness told while the other had not, unless the other told it before
-- anyone could have judged. A state that comes again, such as a second completion, is dated by its first time.
-- Whether it counts is for `audit.gaps`, which knows what time it is.
with

loads as (

    select * from intermediate.int_loads_timed

),

calls as (

    select
        call_id,
        purpose as call_purpose,
        window_start
    from raw.api_calls

),

-- All but the many that are as they should be: one version from the API, the same state from the webhook, each in time.
-- What the API told before the webhook's first delivery, and the webhook never, is not owed by anybody.
doubtful as (

    select
        witnessed.registration_id,
        witnessed.transaction_id,
        witnessed.api_state_order,
        witnessed.webhook_state_order
    from intermediate.int_transactions_witnessed as witnessed
    left join loads as api_loads on witnessed.api_first_load_number = api_loads.load_number
    left join loads as webhook_loads on witnessed.webhook_last_load_number = webhook_loads.load_number
    cross join intermediate.int_webhook_begun as webhook
    where
        (witnessed.told_by_webhook or witnessed.api_last_told_at >= webhook.began_at)
        and not coalesce(
            witnessed.api_version_count = 1
            and witnessed.api_state_order = witnessed.webhook_state_order
            and (
                witnessed.webhook_last_told_at <= witnessed.api_first_told_at
                or webhook_loads.as_of <= api_loads.as_of
            )
            and (
                api_loads.previous_pull_at is null
                or api_loads.previous_pull_at < seconds_after(
                    witnessed.webhook_first_told_at, webhook_loads.settle_minutes * 60
                )
            ),
            false
        )

),

transaction_states as (

    select
        tellings.registration_id,
        tellings.transaction_id,
        tellings.state_order,
        bool_or(tellings.is_completed) as is_completed,
        min(tellings.progress_percent) as progress_percent,
        max(tellings.started_at) as started_at,
        min(tellings.completed_at) as completed_at,
        min(tellings.call_id) as api_call_id,
        min(tellings.told_at) filter (where tellings.witness = 'api') as api_told_at,
        min(tellings.load_number) filter (where tellings.witness = 'api') as api_load_number,
        min(tellings.told_at) filter (where tellings.witness = 'webhook') as webhook_told_at,
        min(tellings.load_number) filter (where tellings.witness = 'webhook') as webhook_load_number,
        min(tellings.delivery_id) filter (where tellings.witness = 'webhook') as delivery_id,
        max(doubtful.api_state_order) as api_state_order,
        max(doubtful.webhook_state_order) as webhook_state_order
    from intermediate.int_tellings_unioned as tellings
    inner join doubtful
        on
            tellings.registration_id = doubtful.registration_id
            and tellings.transaction_id = doubtful.transaction_id
    group by tellings.registration_id, tellings.transaction_id, tellings.state_order

),

reached as (

    select
        *,
        min(api_call_id) over this_far_or_further as api_reached_call_id,
        min(api_told_at) over this_far_or_further as api_reached_at,
        min(api_load_number) over this_far_or_further as api_reached_load_number,
        min(webhook_told_at) over this_far_or_further as webhook_reached_at,
        min(webhook_load_number) over this_far_or_further as webhook_reached_load_number,
        min(api_told_at) over whole_transaction as api_first_told_at,
        min(webhook_told_at) over whole_transaction as webhook_first_told_at,
        max(api_told_at) over short_of_this as api_told_before_at,
        max(webhook_told_at) over short_of_this as webhook_told_before_at
    from transaction_states
    window
        this_far_or_further as (
            partition by registration_id, transaction_id
            order by state_order desc nulls last
            rows between unbounded preceding and current row
        ),
        short_of_this as (
            partition by registration_id, transaction_id
            order by state_order asc nulls first
            rows between unbounded preceding and 1 preceding
        ),
        whole_transaction as (partition by registration_id, transaction_id)

),

-- A vendor may show a registration's newest transaction alone: a later one on show stands for all before it.
doubtful_registrations as (

    select distinct registration_id
    from doubtful

),

shown_transactions as (

    select
        witnessed.registration_id,
        witnessed.transaction_id,
        min(witnessed.api_first_call_id) over later_transactions as overtaken_by_call_id,
        min(witnessed.api_first_told_at) over later_transactions as overtaken_at,
        min(witnessed.api_first_load_number) over later_transactions as overtaken_load_number
    from intermediate.int_transactions_witnessed as witnessed
    inner join doubtful_registrations on witnessed.registration_id = doubtful_registrations.registration_id
    window later_transactions as (
        partition by witnessed.registration_id
        order by witnessed.transaction_id desc nulls last
        rows between unbounded preceding and 1 preceding
    )

),

told as (

    select
        reached.*,
        shown_transactions.overtaken_by_call_id,
        shown_transactions.overtaken_at,
        overtaking_loads.as_of as overtaken_known_at,
        api_loads.as_of as api_as_of,
        api_loads.settle_minutes as api_settle_minutes,
        webhook_loads.as_of as webhook_as_of,
        webhook_loads.settle_minutes as webhook_settle_minutes,
        api_reached_loads.as_of as api_reached_as_of,
        api_reached_loads.previous_pull_at as api_pull_before_at,
        webhook_reached_loads.as_of as webhook_reached_as_of,
        reaching_calls.call_purpose as api_reached_purpose,
        api_loads.previous_pull_at as api_previous_pull_at,
        api_loads.previous_pull_from as api_previous_pull_from,
        api_loads.previous_pull_until as api_previous_pull_until,
        greatest(
            reached.started_at,
            telling_calls.window_start,
            -- What the API told of less than this was before it, unless it fell to that later.
            case when reached.api_told_before_at < reached.api_told_at then reached.api_told_before_at end
        ) as api_changed_after,
        case
            when reached.is_completed and reached.completed_at <= reached.api_told_at then reached.completed_at
            when reached.progress_percent = 0.0 and reached.started_at <= reached.api_told_at then reached.started_at
        end as dated_at
    from reached
    inner join shown_transactions
        on
            reached.registration_id = shown_transactions.registration_id
            and reached.transaction_id = shown_transactions.transaction_id
    left join loads as api_loads on reached.api_load_number = api_loads.load_number
    left join loads as webhook_loads on reached.webhook_load_number = webhook_loads.load_number
    left join loads as api_reached_loads on reached.api_reached_load_number = api_reached_loads.load_number
    left join loads as webhook_reached_loads on reached.webhook_reached_load_number = webhook_reached_loads.load_number
    left join loads as overtaking_loads on shown_transactions.overtaken_load_number = overtaking_loads.load_number
    left join calls as reaching_calls on reached.api_reached_call_id = reaching_calls.call_id
    left join calls as telling_calls on reached.api_call_id = telling_calls.call_id

),

-- The vendor's own date says when a completion or a start was, if nothing shows that it was entered later. A pull that
-- should have shown it and did not may mean that it was: then the webhook's time to tell counts from the API's telling.
dated as (

    select
        *,
        case when dated_at >= api_changed_after then dated_at else api_told_at end as api_changed_before,
        seconds_after(
            case
                when dated_at >= greatest(api_changed_after, api_previous_pull_at) then dated_at else api_told_at
            end,
            api_settle_minutes * 60
        ) as webhook_due_at
    from told

),

webhook_failed as (

    select
        'webhook' as failing_witness,
        registration_id,
        transaction_id,
        state_order,
        is_completed,
        progress_percent,
        api_told_at as told_at,
        api_as_of as known_at,
        api_call_id as call_id,
        cast(null as string) as delivery_id,
        started_at,
        completed_at,
        api_settle_minutes as settle_minutes,
        coalesce(dated_at >= api_changed_after, false) as is_dated,
        case
            when dated_at >= api_changed_after then dated_at
            -- What the webhook told of less than this was before it, unless that came late itself.
            when webhook_told_before_at < api_told_at then greatest(api_changed_after, webhook_told_before_at)
            else api_changed_after
        end as changed_after,
        api_changed_before as changed_before,
        -- If a pull of all that it could have stood under did not show it, it came after, less the settle time.
        coalesce(coalesce(started_at, api_previous_pull_from) >= api_previous_pull_from, false)
        and coalesce(completed_at, api_previous_pull_from) >= api_previous_pull_from as was_pulled_for,
        seconds_after(api_previous_pull_until, -60 * api_settle_minutes) as pulled_before_at,
        webhook_due_at as due_at,
        webhook_told_at as same_told_at,
        webhook_reached_at as reached_at,
        webhook_reached_as_of as reached_known_at,
        cast(null as bigint) as reached_call_id,
        false as is_reached_by_repair,
        webhook_first_told_at as other_first_told_at,
        cast(null as bigint) as overtaken_by_call_id,
        cast(null as timestamp) as overtaken_at,
        cast(null as timestamp) as overtaken_known_at,
        api_state_order,
        webhook_state_order
    from dated
    where
        api_told_at is not null
        and not coalesce(webhook_reached_at <= api_told_at, false)
        and not coalesce(webhook_reached_as_of <= api_as_of, false)

),

api_failed as (

    select
        'api' as failing_witness,
        registration_id,
        transaction_id,
        state_order,
        is_completed,
        progress_percent,
        webhook_told_at as told_at,
        webhook_as_of as known_at,
        cast(null as bigint) as call_id,
        delivery_id,
        started_at,
        completed_at,
        webhook_settle_minutes as settle_minutes,
        true as is_dated,
        greatest(started_at, least(dated_at, webhook_told_at)) as changed_after,
        webhook_told_at as changed_before,
        false as was_pulled_for,
        cast(null as timestamp) as pulled_before_at,
        seconds_after(webhook_told_at, webhook_settle_minutes * 60) as due_at,
        api_told_at as same_told_at,
        api_reached_at as reached_at,
        api_reached_as_of as reached_known_at,
        api_reached_call_id as reached_call_id,
        coalesce(api_reached_purpose = 'repair', false) as is_reached_by_repair,
        api_first_told_at as other_first_told_at,
        overtaken_by_call_id,
        overtaken_at,
        overtaken_known_at,
        api_state_order,
        webhook_state_order
    from dated
    where
        webhook_told_at is not null
        and not coalesce(api_reached_at <= webhook_told_at, false)
        and not coalesce(
            api_reached_purpose <> 'repair'
            and (
                api_pull_before_at is null
                or api_pull_before_at < seconds_after(webhook_told_at, webhook_settle_minutes * 60)
            ),
            false
        )

)

select * from webhook_failed
union all
select * from api_failed
