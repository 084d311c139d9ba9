-- One row per unbroken span of time that the API is proven covered for, up to the newest run.
with

windows as (

    select
        window_start,
        window_end
    from raw.api_windows
    where is_complete and search is null

),

ordered as (

    select
        *,
        max(window_end) over (
            order by window_start asc nulls first, window_end asc nulls first
            rows between unbounded preceding and 1 preceding
        ) as reached_before
    from windows

),

numbered as (

    select
        *,
        cast(
            sum(case when reached_before is null or reached_before < window_start then 1 else 0 end) over (
                order by window_start asc nulls first, window_end asc nulls first
                rows between unbounded preceding and current row
            ) as bigint
        ) as span_number
    from ordered

)

select
    cast(span_number as bigint) as span_number,
    min(window_start) as covered_from,
    max(window_end) as covered_until
from numbered
group by span_number
