-- One row per disagreement that a judgement can be made of, with the run that opened it as a gap, if one did.
-- The first run opens it that knows of it, stands past its due time and, where the API is to show something, made a
-- proven pull that reached past it. What the other witness told by then, or what began before the webhook did, never
-- was a gap.
with

disagreements as (

    select * from intermediate.int_disagreements_found

),

loads as (

    select * from intermediate.int_loads_timed

),

runs as (

    select distinct as_of
    from loads

),

pulls as (

    select
        loads.as_of,
        max(windows.window_end) as reached_until
    from raw.api_windows as windows
    inner join loads on windows.load_number = loads.load_number
    where windows.is_complete and windows.search is null
    group by loads.as_of

),

in_use as (

    select
        disagreements.*,
        habits.lists_all_transactions,
        case
            when habits.lists_all_transactions then disagreements.reached_at
            else least(disagreements.reached_at, disagreements.overtaken_at)
        end as settled_at,
        case
            when habits.lists_all_transactions then disagreements.reached_call_id
            else least(disagreements.reached_call_id, disagreements.overtaken_by_call_id)
        end as settled_call_id,
        case
            when habits.lists_all_transactions then disagreements.reached_known_at
            else least(disagreements.reached_known_at, disagreements.overtaken_known_at)
        end as settled_known_at
    from disagreements
    cross join intermediate.int_webhook_begun as webhook
    cross join intermediate.int_vendor_habits_found as habits
    where
        disagreements.failing_witness = 'api'
        or disagreements.changed_after >= webhook.began_at
        or (habits.gives_each_update_an_id and disagreements.transaction_id > webhook.first_transaction_id)

),

opened_by_time as (

    select
        in_use.failing_witness,
        in_use.registration_id,
        in_use.transaction_id,
        in_use.state_order,
        min(runs.as_of) as opened_at
    from in_use
    inner join runs on in_use.due_at <= runs.as_of and in_use.known_at <= runs.as_of
    where in_use.failing_witness = 'webhook'
    group by in_use.failing_witness, in_use.registration_id, in_use.transaction_id, in_use.state_order

),

opened_by_pull as (

    select
        in_use.failing_witness,
        in_use.registration_id,
        in_use.transaction_id,
        in_use.state_order,
        min(pulls.as_of) as opened_at
    from in_use
    inner join pulls
        on
            in_use.due_at <= pulls.as_of
            and in_use.known_at <= pulls.as_of
            and in_use.told_at < pulls.reached_until
    where in_use.failing_witness = 'api'
    group by in_use.failing_witness, in_use.registration_id, in_use.transaction_id, in_use.state_order

),

opened as (

    select * from opened_by_time
    union all
    select * from opened_by_pull

),

judged as (

    select
        in_use.*,
        opened.opened_at as due_to_open_at,
        coalesce(
            opened.opened_at < in_use.settled_known_at
            or (opened.opened_at = in_use.settled_known_at and in_use.is_reached_by_repair)
            or in_use.settled_known_at is null,
            false
        ) as is_still_apart
    from in_use
    left join opened
        on
            in_use.failing_witness = opened.failing_witness
            and in_use.registration_id = opened.registration_id
            and in_use.transaction_id = opened.transaction_id
            and in_use.state_order = opened.state_order

)

select
    failing_witness,
    registration_id,
    transaction_id,
    state_order,
    is_completed,
    progress_percent,
    told_at,
    known_at,
    call_id,
    delivery_id,
    changed_after,
    changed_before,
    (failing_witness = 'api' or changed_before < told_at) as is_dated,
    due_at,
    case when is_still_apart then due_to_open_at end as opened_at,
    same_told_at,
    settled_at,
    settled_call_id,
    is_reached_by_repair,
    other_first_told_at
from judged
where is_still_apart
