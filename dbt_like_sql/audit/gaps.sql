-- One row per gap, open or closed: a disagreement of the two witnesses about one transaction.
-- `suspected` until both had their time, then `open`; `repaired` when the API told what was missing, `accepted` when
-- somebody closed it by hand. What the webhook never told is repaired by the call that told it: the copy has it.
with

gaps as (

    select
        *,
        -- One transaction under two registrations: each witness owes what the other told.
        min(registration_id) over of_transaction <> max(registration_id) over of_transaction as is_contradicted
    from intermediate.int_gaps_found
    window of_transaction as (partition by transaction_id)

),

run_now as (

    select * from intermediate.int_runs_judged

),

habits as (

    select * from intermediate.int_vendor_habits_found

),

outages as (

    select * from audit.webhook_outages

),

-- Of several outages that the bounds of a change overlap, the first.
in_outage as (

    select
        gaps.gap_id,
        outages.outage_id,
        outages.cause as outage_cause
    from gaps
    inner join outages
        on
            gaps.failing_witness = 'webhook'
            and gaps.changed_before > outages.started_at
            and (gaps.changed_after < outages.ended_at or outages.ended_at is null)
    qualify row_number() over (
        partition by gaps.gap_id
        order by outages.started_at asc nulls last, outages.outage_id asc nulls last
    ) = 1

),

-- A sender that is refused tries again for a while, so a refusal up to ten minutes after the change may be of it.
refused as (

    select distinct gaps.gap_id
    from gaps
    inner join raw.webhook_refusals as refusals
        on
            gaps.failing_witness = 'webhook'
            and gaps.changed_after <= coalesce(refusals.until_at, refusals.refused_at)
            and seconds_after(gaps.changed_before, 600) >= refusals.refused_at

),

rejected as (

    select distinct gaps.gap_id
    from gaps
    inner join raw.rejects as rejects
        on
            gaps.failing_witness = rejects.source
            and gaps.changed_after <= rejects.observed_at
            and (gaps.failing_witness = 'api' or seconds_after(gaps.changed_before, 600) >= rejects.observed_at)
            and instr(lower(rejects.raw_text), lower(gaps.registration_id)) > 0

),

windows as (

    select
        purpose,
        search,
        attempted_at,
        window_start,
        window_end,
        last_call_id,
        is_complete,
        call_count,
        reason
    from raw.api_windows

),

-- What was asked of the API since it owes something. `is_asked`: a proven window held the date that the vendor filters
-- by (all dates, if the filter is not known) before the call that told it: what was asked after that changes no cause.
looked_for as (

    select
        gaps.gap_id,
        windows.attempted_at,
        windows.is_complete,
        windows.reason,
        windows.is_complete
        and (gaps.call_id is null or windows.last_call_id < gaps.call_id)
        and (
            gaps.registration_id = windows.search
            or (
                windows.search is null
                and (
                    habits.filters_on in ('started', 'completed')
                    or (gaps.first_seen_at >= windows.window_start and gaps.first_seen_at < windows.window_end)
                )
                and (
                    habits.filters_on in ('last_change', 'completed')
                    or (gaps.started_at >= windows.window_start and gaps.started_at < windows.window_end)
                )
                and (
                    coalesce(habits.filters_on, 'completed') <> 'completed'
                    or gaps.completed_at is null
                    or (gaps.completed_at >= windows.window_start and gaps.completed_at < windows.window_end)
                )
            )
        ) as is_asked,
        gaps.opened_at <= windows.attempted_at
        and windows.purpose = 'repair'
        and windows.call_count > 0
        and (
            gaps.registration_id = windows.search
            or (
                windows.search is null
                and (
                    (gaps.first_seen_at >= windows.window_start and gaps.first_seen_at < windows.window_end)
                    or (gaps.started_at >= windows.window_start and gaps.started_at < windows.window_end)
                )
            )
        ) as is_tried
    from gaps
    cross join habits
    inner join windows on gaps.failing_witness = 'api' and gaps.first_seen_at <= windows.attempted_at

),

asked as (

    select
        gap_id,
        bool_or(is_asked) as is_asked,
        count(*) filter (where is_tried) as repair_attempt_count,
        max(case when is_tried then attempted_at end) as last_repair_at,
        max(case when is_tried and not is_complete then reason end) as last_reason,
        max(case when is_tried and is_complete then attempted_at end) as last_complete_at
    from looked_for
    group by gap_id

),

acceptances as (

    select
        gap_id,
        accepted_at,
        accepted_by,
        why
    from raw.gap_acceptances

),

repair_calls as (

    select call_id as repair_call_id
    from raw.api_calls
    where purpose = 'repair'

),

judged as (

    select
        gaps.*,
        repair_calls.repair_call_id,
        case
            when gaps.opened_at is not null and gaps.repaired_at <= run_now.as_of then 'repaired'
            when acceptances.gap_id is not null then 'accepted'
            when gaps.opened_at is null then 'suspected'
            else 'open'
        end as status,
        case
            when
                gaps.kind = 'field_mismatch' or gaps.is_contradicted
                then 'vendor_contradicts_itself'
            when rejected.gap_id is not null then 'rejected_as_unreadable'
            when gaps.failing_witness = 'webhook' and gaps.same_told_at is not null then 'late'
            when in_outage.outage_cause = 'receiver_refusing' then 'receiver_refusing'
            when in_outage.gap_id is not null then 'outage'
            when refused.gap_id is not null then 'receiver_refusing'
            when gaps.failing_witness = 'webhook' then 'lost'
            when not coalesce(asked.is_asked, false) then 'never_covered'
            else 'withheld'
        end as cause,
        case
            when gaps.is_completed then 'completion'
            when gaps.state_order = 0.0 then 'started'
            else 'progressed'
        end as update_kind,
        in_outage.outage_id,
        coalesce(asked.repair_attempt_count, 0) as repair_attempt_count,
        asked.last_repair_at,
        asked.last_complete_at,
        asked.last_reason,
        acceptances.accepted_at,
        acceptances.accepted_by,
        acceptances.why,
        run_now.as_of
    from gaps
    cross join run_now
    left join in_outage on gaps.gap_id = in_outage.gap_id
    left join refused on gaps.gap_id = refused.gap_id
    left join rejected on gaps.gap_id = rejected.gap_id
    left join asked on gaps.gap_id = asked.gap_id
    left join acceptances on gaps.gap_id = acceptances.gap_id
    left join repair_calls on gaps.call_id = repair_calls.repair_call_id

),

closed as (

    select
        *,
        case when status = 'repaired' then repaired_at when status = 'accepted' then accepted_at end as closed_at
    from judged

)

select
    gap_id,
    kind,
    transaction_id,
    registration_id,
    status,
    cause,
    update_kind,
    differing_fields,
    differing_values,
    first_seen_at,
    due_at,
    opened_at,
    closed_at,
    coalesce(closed_at, as_of) as last_seen_at,
    seconds_between(first_seen_at, coalesce(closed_at, as_of)) / 3600.0 as age_hours,
    -- A completion is to be closed within two days of its opening, anything else within seven.
    status = 'open'
    and opened_at <= seconds_after(as_of, case when is_completed then -172800 else -604800 end) as is_overdue,
    changed_after,
    changed_before,
    started_at,
    completed_at,
    same_told_at as late_told_at,
    outage_id,
    delivery_id,
    case when failing_witness <> 'api' or status = 'repaired' then call_id end as told_by_call_id,
    repair_attempt_count,
    last_repair_at,
    -- Tried again after 6 hours, then after twice as long each time, at most a week.
    case
        when status = 'open' and failing_witness = 'api' and repair_attempt_count > 0
            then seconds_after(last_repair_at, least(604800.0, 21600.0 * power(2.0, repair_attempt_count - 1)))
    end as next_repair_at,
    status = 'repaired' and failing_witness = 'api' and repair_call_id is not null as is_recovered,
    case
        when status <> 'open' then cast(null as string)
        when kind = 'field_mismatch' then 'both witnesses told a value; asking again cannot say which is right'
        when repair_attempt_count = 0 then 'not asked for yet; the next run asks for it, as far as calls are left'
        when last_complete_at = last_repair_at then 'the API was asked for it and does not show it'
        else 'the newest repair was not proven: ' || coalesce(last_reason, 'it did not end')
    end as open_because,
    accepted_by,
    why as accepted_because
from closed
