-- One row per gap, open or closed: a disagreement of the two witnesses about one transaction.
-- `suspected` until both had their time, then `open`; `repaired` when the API told what was missing, `accepted` when
-- somebody closed it by hand. What the webhook never told is repaired by the call that told it: the copy has it.
with

judged as (

    select
        *,
        cast(null as varchar) as differing_fields,
        cast(null as varchar) as differing_values
    from intermediate.int_disagreements_judged

),

run_now as (

    select * from intermediate.int_runs_judged

),

compared as (

    select * from intermediate.int_fields_compared

),

runs as (

    select distinct as_of
    from intermediate.int_loads_timed

),

mismatches_opened as (

    select
        compared.registration_id,
        compared.transaction_id,
        min(runs.as_of) as opened_at
    from compared
    inner join runs on compared.due_at <= runs.as_of and compared.known_at <= runs.as_of
    group by compared.registration_id, compared.transaction_id

),

mismatches as (

    select
        'both' as failing_witness,
        compared.registration_id,
        compared.transaction_id,
        compared.state_order,
        compared.is_completed,
        compared.told_at as first_seen_at,
        compared.due_at,
        mismatches_opened.opened_at,
        cast(null as timestamp) as repaired_at,
        compared.call_id,
        cast(null as varchar) as delivery_id,
        compared.told_at as changed_after,
        compared.told_at as changed_before,
        cast(null as timestamp) as same_told_at,
        'field_mismatch' as kind,
        compared.differing_fields,
        compared.differing_values
    from compared
    left join mismatches_opened
        on
            compared.registration_id = mismatches_opened.registration_id
            and compared.transaction_id = mismatches_opened.transaction_id

),

-- Overlapping states of one transaction that one witness owes are one gap, named by the first of them.
chained as (

    select
        *,
        case when failing_witness = 'webhook' then opened_at else settled_at end as repaired_at,
        max(
            case
                when failing_witness = 'webhook' then coalesce(opened_at, timestamp '9999-12-31 00:00:00')
                else coalesce(settled_at, timestamp '9999-12-31 00:00:00')
            end
        ) over (
            partition by failing_witness, registration_id, transaction_id
            order by told_at asc nulls first, state_order asc nulls first
            rows between unbounded preceding and 1 preceding
        ) as repaired_before_at
    from judged

),

headed as (

    select
        *,
        case when repaired_before_at is null or repaired_before_at <= told_at then 1 else 0 end as is_head
    from chained

),

linked as (

    select
        *,
        sum(is_head) over (
            partition by failing_witness, registration_id, transaction_id
            order by told_at asc nulls first, state_order asc nulls first
            rows between unbounded preceding and current row
        ) as chain_number
    from headed

),

one_sided as (

    select
        failing_witness,
        registration_id,
        transaction_id,
        max(case when is_head = 1 then state_order end) as state_order,
        bool_or(is_completed) as is_completed,
        min(told_at) as first_seen_at,
        min(due_at) as due_at,
        min(opened_at) as opened_at,
        case when count(*) = count(repaired_at) then max(repaired_at) end as repaired_at,
        coalesce(max(settled_call_id), max(call_id)) as call_id,
        min(delivery_id) as delivery_id,
        min(changed_after) as changed_after,
        max(changed_before) as changed_before,
        min(same_told_at) as same_told_at,
        case
            when min(other_first_told_at) <= min(coalesce(opened_at, due_at)) then 'behind_' || failing_witness
            else 'missing_' || failing_witness
        end as kind,
        cast(null as varchar) as differing_fields,
        cast(null as varchar) as differing_values
    from linked
    group by failing_witness, registration_id, transaction_id, chain_number

),

all_gaps as (

    select * from one_sided
    union all
    select * from mismatches

),

named as (

    select
        *,
        md5(
            concat_ws(
                '|',
                kind,
                cast(transaction_id as varchar),
                registration_id,
                coalesce(differing_fields, cast(state_order as varchar))
            )
        ) as gap_id
    from all_gaps

),

outages as (

    select * from audit.webhook_outages

),

in_outage as (

    select
        named.gap_id,
        min_by(outages.outage_id, outages.started_at) as outage_id
    from named
    inner join outages
        on
            named.failing_witness = 'webhook'
            and named.changed_before > outages.started_at
            and (named.changed_after < outages.ended_at or outages.ended_at is null)
    group by named.gap_id

),

refused as (

    select distinct named.gap_id
    from named
    inner join raw.webhook_refusals as refusals
        on
            named.failing_witness = 'webhook'
            and named.changed_after <= coalesce(refusals.until_at, refusals.refused_at)
            and refusals.refused_at <= seconds_after(named.changed_before, 60)

),

rejected as (

    select distinct named.gap_id
    from named
    inner join raw.rejects as rejects
        on
            named.failing_witness = rejects.source
            and instr(rejects.raw_text, named.registration_id) > 0

),

windows as (

    select
        attempted_at,
        window_start,
        window_end
    from raw.api_windows
    where is_complete and search is null

),

asked as (

    select distinct named.gap_id
    from named
    inner join windows
        on
            named.failing_witness = 'api'
            and named.first_seen_at <= windows.attempted_at
            and named.first_seen_at >= windows.window_start
            and named.first_seen_at < windows.window_end

),

acceptances as (

    select
        gap_id,
        accepted_at,
        accepted_by,
        why
    from raw.gap_acceptances

)

select
    named.gap_id,
    named.kind,
    named.transaction_id,
    named.registration_id,
    case
        when named.opened_at is not null and named.repaired_at <= run_now.as_of then 'repaired'
        when acceptances.accepted_at <= run_now.as_of then 'accepted'
        when named.opened_at is null then 'suspected'
        else 'open'
    end as status,
    case
        when named.failing_witness = 'both' then 'vendor_contradicts_itself'
        when rejected.gap_id is not null then 'rejected_as_unreadable'
        when named.failing_witness = 'webhook' and named.same_told_at is not null then 'late'
        when refused.gap_id is not null then 'receiver_refusing'
        when in_outage.gap_id is not null then 'outage'
        when named.failing_witness = 'webhook' then 'lost'
        when asked.gap_id is null then 'never_covered'
        else 'withheld'
    end as cause,
    case
        when named.is_completed then 'completion'
        when named.state_order = 0.0 then 'started'
        else 'progressed'
    end as update_kind,
    named.differing_fields,
    named.differing_values,
    named.first_seen_at,
    named.due_at,
    named.opened_at,
    case
        when named.opened_at is not null and named.repaired_at <= run_now.as_of then named.repaired_at
        when acceptances.accepted_at <= run_now.as_of then acceptances.accepted_at
    end as closed_at,
    coalesce(
        case
            when named.opened_at is not null and named.repaired_at <= run_now.as_of then named.repaired_at
            when acceptances.accepted_at <= run_now.as_of then acceptances.accepted_at
        end,
        run_now.as_of
    ) as last_seen_at,
    named.changed_after,
    named.changed_before,
    named.same_told_at as late_told_at,
    in_outage.outage_id,
    named.delivery_id,
    case
        when named.failing_witness = 'webhook' or named.repaired_at is not null then named.call_id
    end as told_by_call_id,
    acceptances.accepted_by,
    acceptances.why as accepted_because
from named
cross join run_now
left join in_outage on named.gap_id = in_outage.gap_id
left join refused on named.gap_id = refused.gap_id
left join rejected on named.gap_id = rejected.gap_id
left join asked on named.gap_id = asked.gap_id
left join acceptances on named.gap_id = acceptances.gap_id
