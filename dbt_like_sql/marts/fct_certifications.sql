-- One row per completion: from when until when it is valid, and whether it still is.
-- A completion is valid from its UTC day, through the last day that the file of validities gives it; after months that
-- is the same day of the month, or the month's last where it has no such day. The next completion of the same learner
-- in the same activity renews it, under whichever registration. Without a validity it never ends.
with

completions as (

    select * from marts.fct_completions

),

learners as (

    select * from marts.dim_learners

),

validities as (

    select * from marts.dim_validities

),

run_now as (

    select cast(max(as_of) as date) as as_of_day
    from audit.watermarks

),

dated as (

    select
        completions.completion_id,
        completions.registration_id,
        completions.learner_id,
        completions.activity_id,
        completions.activity_title,
        cast(coalesce(completions.completed_at, completions.first_told_at) as date) as valid_from,
        completions.completed_at is not null as is_date_told,
        case when own.activity_id is null then fallback.valid_months else own.valid_months end as valid_months,
        case when own.activity_id is null then fallback.valid_days else own.valid_days end as valid_days
    from completions
    left join validities as own on completions.activity_id = own.activity_id
    left join validities as fallback on fallback.activity_id = '*'

),

counted as (

    select
        *,
        year(valid_from) * 12 + month(valid_from) - 1 + valid_months as months_until
    from dated

),

ended_in as (

    select
        *,
        make_date(cast(floor(months_until / 12) as int), cast(months_until % 12 + 1 as int), 1) as last_month
    from counted

),

ended as (

    select
        *,
        case
            when valid_months is not null
                then make_date(
                    cast(year(last_month) as int),
                    cast(month(last_month) as int),
                    cast(least(day(valid_from), day(last_day(last_month))) as int)
                )
            when valid_days is not null
                then cast(seconds_after(cast(valid_from as timestamp), 86400 * valid_days) as date)
        end as valid_until,
        lead(valid_from) over same_certificate as renewed_on,
        lead(completion_id) over same_certificate as renewed_by_completion_id
    from ended_in
    window same_certificate as (
        partition by learner_id, coalesce(activity_id, registration_id)
        order by valid_from asc nulls first, completion_id asc nulls first
    )

),

judged as (

    select
        ended.*,
        days_between(run_now.as_of_day, ended.valid_until) as days_left
    from ended
    cross join run_now

)

select
    judged.completion_id,
    judged.registration_id,
    judged.learner_id,
    learners.first_name,
    learners.last_name,
    learners.email,
    judged.activity_id,
    judged.activity_title,
    judged.valid_from,
    judged.is_date_told,
    judged.valid_months,
    judged.valid_days,
    judged.valid_until,
    case
        when judged.renewed_on is not null then 'renewed'
        when judged.days_left < 0 then 'lapsed'
        when judged.days_left <= 90 then 'expiring'
        else 'current'
    end as status,
    case when judged.renewed_on is null then judged.days_left end as days_left,
    case
        when judged.renewed_on is not null or judged.days_left < 0 or judged.days_left > 90 then null
        when judged.days_left <= 30 then 30
        when judged.days_left <= 60 then 60
        when judged.days_left <= 90 then 90
    end as expires_within_days,
    judged.renewed_on,
    judged.renewed_by_completion_id,
    case
        when judged.renewed_on is not null and judged.valid_until is not null
            then greatest(days_between(judged.valid_until, judged.renewed_on) - 1, 0)
    end as days_without
from judged
left join learners on judged.learner_id = learners.learner_id
