-- One row per UTC day from the first to be covered to the newest run: what each witness told of it, and whether the
-- API is proven complete for it.
-- A change stands on its day as best known: by the vendor's date where it has one, else by when it was told first.
with

digits as (

    select * from intermediate.int_digits_listed

),

numbers as (

    -- Five digits are 273 years. Four would be 27, and the default start, in 2000, is longer ago from May 2027 on.
    select
        cast(
            ones.digit
            + 10 * tens.digit
            + 100 * hundreds.digit
            + 1000 * thousands.digit
            + 10000 * ten_thousands.digit
            as bigint
        ) as day_number
    from digits as ones
    cross join digits as tens
    cross join digits as hundreds
    cross join digits as thousands
    cross join digits as ten_thousands

),

run_now as (

    select
        as_of,
        start_at,
        cast(cast(start_at as date) as timestamp) as first_midnight
    from intermediate.int_runs_judged

),

days as (

    select
        run_now.as_of,
        cast(seconds_after(run_now.first_midnight, numbers.day_number * 86400) as date) as day_utc,
        greatest(run_now.start_at, seconds_after(run_now.first_midnight, numbers.day_number * 86400)) as day_from,
        seconds_after(run_now.first_midnight, (numbers.day_number + 1) * 86400) as day_until
    from run_now
    cross join numbers
    where numbers.day_number <= days_between(cast(run_now.start_at as date), cast(run_now.as_of as date))

),

spans as (

    select * from intermediate.int_coverage_joined

),

covered as (

    select
        days.day_utc,
        bool_or(spans.covered_from <= days.day_from and spans.covered_until >= days.day_until) as is_proven_complete,
        max(
            case
                when spans.covered_from <= days.day_from
                    then least(spans.covered_until, days.day_until)
            end
        ) as proven_until
    from days
    left join spans on days.day_until > spans.covered_from and days.day_from < spans.covered_until
    group by days.day_utc

),

changes as (

    select
        cast(changed_at as date) as day_utc,
        told_by_api,
        told_by_webhook
    from marts.fct_progress_events

),

counted as (

    select
        day_utc,
        count(*) as change_count,
        count(*) filter (where told_by_api) as api_count,
        count(*) filter (where told_by_webhook) as webhook_count,
        count(*) filter (where told_by_api and told_by_webhook) as both_count
    from changes
    group by day_utc

),

gaps_counted as (

    select
        cast(changed_before as date) as day_utc,
        count(*) filter (where kind in ('missing_webhook', 'behind_webhook')) as missing_on_webhook,
        count(*) filter (where kind in ('missing_api', 'behind_api')) as missing_on_api,
        count(*) filter (where kind = 'field_mismatch') as field_mismatches,
        count(*) filter (where status in ('open', 'suspected')) as unresolved
    from audit.gaps
    group by cast(changed_before as date)

)

select
    days.day_utc,
    coalesce(covered.is_proven_complete, false) as is_proven_complete,
    covered.proven_until,
    coalesce(counted.change_count, 0) as change_count,
    coalesce(counted.api_count, 0) as api_count,
    coalesce(counted.webhook_count, 0) as webhook_count,
    coalesce(counted.both_count, 0) as matched_count,
    coalesce(gaps_counted.missing_on_webhook, 0) as missing_on_webhook_count,
    coalesce(gaps_counted.missing_on_api, 0) as missing_on_api_count,
    coalesce(gaps_counted.field_mismatches, 0) as field_mismatch_count,
    coalesce(gaps_counted.unresolved, 0) as unresolved_count
from days
left join covered on days.day_utc = covered.day_utc
left join counted on days.day_utc = counted.day_utc
left join gaps_counted on days.day_utc = gaps_counted.day_utc
