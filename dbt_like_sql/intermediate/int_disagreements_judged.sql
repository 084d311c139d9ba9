-- One row per disagreement that a judgement can be made of, with the run that opened it as a gap, if one did.
-- The first run opens it that knows of it, stands past its due time and, where the API is to show something, made a
-- proven pull past it. What the other witness told by then, or what began before the webhook did, never was a gap.
with

disagreements as (

    select * from intermediate.int_disagreements_found

),

habits as (

    select * from intermediate.int_vendor_habits_found

),

loads as (

    select * from intermediate.int_loads_timed

),

-- An instant is followed by the one run between whose predecessor and itself it lies.
runs as (

    select
        as_of,
        coalesce(lag(as_of) over (order by as_of asc nulls first), timestamp '0001-01-01 00:00:00') as previous_as_of
    from loads
    group by as_of

),

pulls as (

    select distinct
        loads.as_of,
        windows.window_start,
        windows.window_end,
        windows.covered_until
    from raw.api_windows as windows
    inner join loads on windows.load_number = loads.load_number
    where windows.is_complete and windows.search is null

),

-- What a pull should have shown and did not, changed after it.
bounded_by_pull as (

    select
        disagreements.*,
        habits.gives_each_update_an_id,
        habits.lists_all_transactions,
        case
            when
                not disagreements.is_dated
                and (disagreements.was_pulled_for or habits.filters_on = 'last_change')
                and disagreements.pulled_before_at < disagreements.changed_before
                then greatest(disagreements.changed_after, disagreements.pulled_before_at)
            else disagreements.changed_after
        end as changed_after_at
    from disagreements
    cross join habits

),

in_use as (

    select
        bounded_by_pull.*,
        case
            when bounded_by_pull.lists_all_transactions then bounded_by_pull.reached_at
            else least(bounded_by_pull.reached_at, bounded_by_pull.overtaken_at)
        end as settled_at,
        case
            when bounded_by_pull.lists_all_transactions then bounded_by_pull.reached_call_id
            else least(bounded_by_pull.reached_call_id, bounded_by_pull.overtaken_by_call_id)
        end as settled_call_id,
        case
            when bounded_by_pull.lists_all_transactions then bounded_by_pull.reached_known_at
            else least(bounded_by_pull.reached_known_at, bounded_by_pull.overtaken_known_at)
        end as settled_known_at
    from bounded_by_pull
    cross join intermediate.int_webhook_begun as webhook
    where
        bounded_by_pull.failing_witness = 'api'
        or bounded_by_pull.changed_after_at >= webhook.began_at
        or (bounded_by_pull.gives_each_update_an_id and bounded_by_pull.transaction_id > webhook.first_transaction_id)

),

-- Where each update has an id of its own, the neighbours that the webhook told bound the instant of what it did not.
near_bounds as (

    select * from intermediate.int_undated_bounded

),

-- For those without told neighbours near, ids in the same or the next block are looked at, which keeps this small.
far as (

    select distinct
        in_use.transaction_id,
        cast(floor(in_use.transaction_id / 1000.0) as bigint) as block
    from in_use
    left join near_bounds on in_use.transaction_id = near_bounds.transaction_id
    where
        in_use.failing_witness = 'webhook'
        and in_use.gives_each_update_an_id
        and not in_use.is_dated
        and near_bounds.transaction_id is null

),

blocks as (

    select block from far
    union
    select block - 1 as block from far
    union
    select block + 1 as block from far

),

told as (

    select
        witnessed.transaction_id,
        min(witnessed.webhook_first_told_at) as told_at,
        min(loads.as_of) as known_at
    from intermediate.int_transactions_witnessed as witnessed
    inner join loads on witnessed.webhook_first_load_number = loads.load_number
    inner join blocks on cast(floor(witnessed.transaction_id / 1000.0) as bigint) = blocks.block
    where witnessed.told_by_webhook
    group by witnessed.transaction_id

),

in_order as (

    select
        transaction_id,
        told_at
    from told

    union all

    select
        transaction_id,
        cast(null as timestamp) as told_at
    from far

),

neighbours as (

    select
        transaction_id,
        max(case when told_at is not null then transaction_id end) over (
            order by transaction_id asc nulls first, told_at asc nulls first
            rows between unbounded preceding and 1 preceding
        ) as told_before_id,
        min(told_at) over (
            order by transaction_id desc nulls last, told_at desc nulls last
            rows between unbounded preceding and current row
        ) as told_after_at,
        told_at is null as is_undated
    from in_order

),

far_bounds as (

    select
        neighbours.transaction_id,
        max(told_before.told_at) as not_before,
        max(neighbours.told_after_at) as not_after,
        min(told_after.known_at) as not_after_known_at
    from neighbours
    left join told as told_before on neighbours.told_before_id = told_before.transaction_id
    left join told as told_after on neighbours.told_after_at = told_after.told_at
    where neighbours.is_undated
    group by neighbours.transaction_id

),

bounds as (

    select * from near_bounds
    union all
    select * from far_bounds

),

bounded as (

    select
        in_use.*,
        least(in_use.changed_before, bounds.not_after) as bounded_before,
        case
            when bounds.not_before <= coalesce(bounds.not_after, in_use.changed_before)
                then greatest(in_use.changed_after_at, bounds.not_before)
            else in_use.changed_after_at
        end as bounded_after,
        case
            when bounds.not_after < in_use.changed_before
                then
                    least(
                        in_use.due_at,
                        greatest(
                            seconds_after(bounds.not_after, in_use.settle_minutes * 60), bounds.not_after_known_at
                        )
                    )
            else in_use.due_at
        end as bounded_due_at
    from in_use
    left join bounds
        on
            in_use.transaction_id = bounds.transaction_id
            and in_use.failing_witness = 'webhook'
            and not in_use.is_dated
    -- What the other witness had told by the run that knew of it never was a gap: no run opened it before it knew.
    where
        in_use.settled_known_at is null
        or in_use.known_at < in_use.settled_known_at
        or (in_use.known_at = in_use.settled_known_at and in_use.is_reached_by_repair)

),

opened_by_time as (

    select
        bounded.failing_witness,
        bounded.registration_id,
        bounded.transaction_id,
        bounded.state_order,
        runs.as_of as opened_at
    from bounded
    inner join runs
        on
            greatest(bounded.bounded_due_at, bounded.known_at) <= runs.as_of
            and greatest(bounded.bounded_due_at, bounded.known_at) > runs.previous_as_of
    where bounded.failing_witness = 'webhook'

),

opened_by_pull as (

    select
        bounded.failing_witness,
        bounded.registration_id,
        bounded.transaction_id,
        bounded.state_order,
        min(pulls.as_of) as opened_at
    from bounded
    inner join pulls
        on
            bounded.due_at <= pulls.as_of
            and bounded.known_at <= pulls.as_of
            and bounded.told_at < pulls.window_end
            and (bounded.told_at >= pulls.window_start or bounded.told_at < pulls.covered_until)
    where bounded.failing_witness = 'api'
    group by bounded.failing_witness, bounded.registration_id, bounded.transaction_id, bounded.state_order

),

opened as (

    select * from opened_by_time
    union all
    select * from opened_by_pull

)

select
    bounded.failing_witness,
    bounded.registration_id,
    bounded.transaction_id,
    bounded.state_order,
    bounded.is_completed,
    bounded.progress_percent,
    bounded.told_at,
    bounded.known_at,
    bounded.call_id,
    bounded.delivery_id,
    bounded.started_at,
    bounded.completed_at,
    -- A start that the vendor dates after it was told, by another zone's clock for instance, bounds nothing.
    least(bounded.bounded_after, bounded.bounded_before) as changed_after,
    bounded.bounded_before as changed_before,
    bounded.bounded_due_at as due_at,
    opened.opened_at,
    bounded.same_told_at,
    bounded.settled_at,
    bounded.settled_call_id,
    bounded.is_reached_by_repair,
    bounded.other_first_told_at,
    bounded.gives_each_update_an_id,
    bounded.api_state_order,
    bounded.webhook_state_order
from bounded
left join opened
    on
        bounded.failing_witness = opened.failing_witness
        and bounded.registration_id = opened.registration_id
        and bounded.transaction_id = opened.transaction_id
        and bounded.state_order = opened.state_order
where
    bounded.settled_known_at is null
    or opened.opened_at < bounded.settled_known_at
    or (opened.opened_at = bounded.settled_known_at and bounded.is_reached_by_repair)
