-- One row per gap: disagreements as they are told to people, before their causes are looked for.
-- Overlapping states of one transaction that one witness owes are one gap, named by the first of them. Who accepts a
-- gap accepts what was known of it: a state that becomes known later is a gap of its own.
with

named as (

    select
        *,
        case when failing_witness = 'webhook' then opened_at else settled_at end as repaired_at,
        md5(
            concat_ws(
                '|', failing_witness, cast(transaction_id as string), registration_id, cast(state_order as string)
            )
        ) as gap_id
    from intermediate.int_disagreements_judged

),

acceptances as (

    select
        named.failing_witness,
        named.registration_id,
        named.transaction_id,
        acceptances.gap_id,
        max(loads.as_of) as known_until
    from raw.gap_acceptances as acceptances
    inner join named on acceptances.gap_id = named.gap_id
    inner join intermediate.int_loads_timed as loads on acceptances.load_number >= loads.load_number
    group by named.failing_witness, named.registration_id, named.transaction_id, acceptances.gap_id

),

known_later as (

    select
        named.gap_id,
        count(*) as acceptance_count
    from named
    inner join acceptances
        on
            named.failing_witness = acceptances.failing_witness
            and named.registration_id = acceptances.registration_id
            and named.transaction_id = acceptances.transaction_id
            and named.known_at > acceptances.known_until
    group by named.gap_id

),

judged as (

    select
        named.*,
        coalesce(known_later.acceptance_count, 0) as acceptance_count
    from named
    left join known_later on named.gap_id = known_later.gap_id

),

after_one_another as (

    select
        *,
        max(coalesce(repaired_at, timestamp '9999-12-31 00:00:00')) over (
            partition by failing_witness, registration_id, transaction_id, acceptance_count
            order by told_at asc nulls first, state_order asc nulls first
            rows between unbounded preceding and 1 preceding
        ) as repaired_before_at
    from judged

),

headed as (

    select
        *,
        case when repaired_before_at is null or repaired_before_at <= told_at then 1 else 0 end as is_head
    from after_one_another

),

linked as (

    select
        *,
        cast(
            sum(is_head) over (
                partition by failing_witness, registration_id, transaction_id, acceptance_count
                order by told_at asc nulls first, state_order asc nulls first
                rows between unbounded preceding and current row
            ) as bigint
        ) as chain_number
    from headed

),

chained as (

    select
        failing_witness,
        registration_id,
        transaction_id,
        max(case when is_head = 1 then gap_id end) as gap_id,
        max(state_order) as state_order,
        bool_or(is_completed) as is_completed,
        min(told_at) as first_seen_at,
        min(due_at) as due_at,
        min(opened_at) as opened_at,
        case when count(*) = count(repaired_at) then max(repaired_at) end as repaired_at,
        coalesce(max(settled_call_id), max(call_id)) as call_id,
        min(delivery_id) as delivery_id,
        max(started_at) as started_at,
        max(completed_at) as completed_at,
        min(changed_after) as changed_after,
        max(changed_before) as changed_before,
        min(same_told_at) as same_told_at,
        -- Behind is who had told something less far when the gap opened; what closed it does not count.
        coalesce(
            min(other_first_told_at) <= min(coalesce(opened_at, due_at))
            and not coalesce(min(other_first_told_at) = max(settled_at), false),
            false
        ) as is_behind,
        bool_or(gives_each_update_an_id) as gives_each_update_an_id,
        max(api_state_order) >= 1000.0 as api_is_completed,
        max(api_state_order) - case when max(api_state_order) >= 1000.0 then 1000.0 else 0.0 end
            as api_progress_percent,
        max(webhook_state_order) >= 1000.0 as webhook_is_completed,
        max(webhook_state_order) - case when max(webhook_state_order) >= 1000.0 then 1000.0 else 0.0 end
            as webhook_progress_percent
    from linked
    group by failing_witness, registration_id, transaction_id, acceptance_count, chain_number

),

-- Where each update has a transaction of its own, nothing can be behind: two states of one contradict each other.
one_sided as (

    select
        chained.gap_id,
        chained.failing_witness,
        chained.registration_id,
        chained.transaction_id,
        case
            when chained.is_behind and chained.gives_each_update_an_id then 'field_mismatch'
            when chained.is_behind then 'behind_' || chained.failing_witness
            else 'missing_' || chained.failing_witness
        end as kind,
        chained.state_order,
        chained.is_completed,
        chained.first_seen_at,
        chained.due_at,
        chained.opened_at,
        case
            when not (chained.is_behind and chained.gives_each_update_an_id) then chained.repaired_at
        end as repaired_at,
        chained.call_id,
        chained.delivery_id,
        chained.started_at,
        chained.completed_at,
        chained.changed_after,
        chained.changed_before,
        chained.same_told_at,
        case
            when not (chained.is_behind and chained.gives_each_update_an_id) then cast(null as string)
            when chained.api_progress_percent <> chained.webhook_progress_percent then 'progress_percent'
            else 'is_completed'
        end as differing_fields,
        case
            when not (chained.is_behind and chained.gives_each_update_an_id) then cast(null as string)
            when chained.api_progress_percent <> chained.webhook_progress_percent
                then
                    'progress_percent: '
                    || cast(chained.api_progress_percent as string)
                    || ' / '
                    || cast(chained.webhook_progress_percent as string)
            else
                'is_completed: '
                || cast(chained.api_is_completed as string)
                || ' / '
                || cast(chained.webhook_is_completed as string)
        end as differing_values
    from chained

),

compared as (

    select * from intermediate.int_fields_compared

),

-- An instant is followed by the one run between whose predecessor and itself it lies.
runs as (

    select
        as_of,
        coalesce(lag(as_of) over (order by as_of asc nulls first), timestamp '0001-01-01 00:00:00') as previous_as_of
    from intermediate.int_loads_timed
    group by as_of

),

mismatches_opened as (

    select
        compared.registration_id,
        compared.transaction_id,
        compared.differing_fields,
        runs.as_of as opened_at
    from compared
    inner join runs
        on
            greatest(compared.due_at, compared.known_at) <= runs.as_of
            and greatest(compared.due_at, compared.known_at) > runs.previous_as_of

),

mismatches as (

    select
        md5(
            concat_ws(
                '|',
                'both',
                cast(compared.transaction_id as string),
                compared.registration_id,
                compared.differing_fields
            )
        ) as gap_id,
        'both' as failing_witness,
        compared.registration_id,
        compared.transaction_id,
        'field_mismatch' as kind,
        compared.state_order,
        compared.is_completed,
        compared.told_at as first_seen_at,
        compared.due_at,
        mismatches_opened.opened_at,
        compared.agreed_at as repaired_at,
        compared.call_id,
        compared.delivery_id,
        cast(null as timestamp) as started_at,
        cast(null as timestamp) as completed_at,
        compared.told_at as changed_after,
        compared.told_at as changed_before,
        cast(null as timestamp) as same_told_at,
        compared.differing_fields,
        compared.differing_values
    from compared
    left join mismatches_opened
        on
            compared.registration_id = mismatches_opened.registration_id
            and compared.transaction_id = mismatches_opened.transaction_id
            and compared.differing_fields = mismatches_opened.differing_fields
    where compared.agreed_known_at is null or mismatches_opened.opened_at < compared.agreed_known_at

),

all_gaps as (

    select * from one_sided
    union all
    select * from mismatches

)

select * from all_gaps
