-- One row per kind of update: up to which instant API and webhook agree on everything.
-- It stands at the earliest of: the end of proven coverage, the settle time before the newest run, and the first change
-- that a gap neither repaired nor accepted concerns. Without a webhook there is nothing to agree on, and it is null.
with

run_now as (

    select
        as_of,
        start_at,
        settle_minutes
    from intermediate.int_runs_judged

),

webhook as (

    select began_at
    from intermediate.int_webhook_begun

),

spans as (

    select * from intermediate.int_coverage_joined

),

-- The span that holds the first instant to be covered; a hole ends it, whatever is covered beyond.
proven as (

    select max(spans.covered_until) as covered_until
    from spans
    inner join run_now on spans.covered_from <= run_now.start_at and spans.covered_until > run_now.start_at

),

kinds as (

    select 'started' as update_kind
    union all
    select 'progressed' as update_kind
    union all
    select 'completion' as update_kind

),

unresolved as (

    select
        *,
        case when kind in ('missing_webhook', 'behind_webhook') then changed_after else changed_before end as pinned_at
    from audit.gaps
    where status in ('open', 'suspected')

),

holes as (

    select
        update_kind,
        count(*) filter (where status = 'open') as open_count,
        count(*) filter (where status = 'suspected') as suspected_count,
        min(pinned_at) as first_hole_at
    from unresolved
    group by update_kind

),

first_holes as (

    select
        update_kind,
        gap_id,
        transaction_id
    from unresolved
    qualify row_number() over (
        partition by update_kind
        order by pinned_at asc nulls last, gap_id asc nulls last
    ) = 1

),

limits as (

    select
        kinds.update_kind,
        run_now.as_of,
        webhook.began_at as webhook_began_at,
        proven.covered_until as api_covered_until,
        seconds_after(run_now.as_of, -60 * run_now.settle_minutes) as settled_until,
        holes.first_hole_at,
        coalesce(holes.open_count, 0) as open_count,
        coalesce(holes.suspected_count, 0) as suspected_count,
        first_holes.gap_id,
        first_holes.transaction_id
    from kinds
    cross join run_now
    cross join webhook
    cross join proven
    left join holes on kinds.update_kind = holes.update_kind
    left join first_holes on kinds.update_kind = first_holes.update_kind

)

select
    update_kind,
    case
        when webhook_began_at is not null and api_covered_until is not null
            then least(api_covered_until, settled_until, first_hole_at)
    end as agreed_until,
    case
        when webhook_began_at is null then 'the webhook has never delivered'
        when api_covered_until is null then 'nothing is proven covered yet'
        when first_hole_at <= least(api_covered_until, settled_until) then 'a gap'
        when api_covered_until < settled_until then 'the end of proven coverage'
        else 'the settle time'
    end as held_by,
    case when first_hole_at <= least(api_covered_until, settled_until) then gap_id end as held_by_gap_id,
    case when first_hole_at <= least(api_covered_until, settled_until) then transaction_id end
        as held_by_transaction_id,
    open_count as open_gap_count,
    suspected_count as suspected_gap_count,
    webhook_began_at,
    api_covered_until,
    settled_until,
    as_of
from limits
