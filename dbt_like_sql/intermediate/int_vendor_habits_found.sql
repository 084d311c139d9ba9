-- One row: what the vendor's tellings show of its ways. What nothing has shown yet is false, or null for the filter.
-- An answer that held a record though its start lay outside the span asked for shows that starts are not filtered on;
-- the same for completions. That it is the last change, an open record shows whose start lay far outside: complete
-- records may be filtered on their completion and open ones on their start. Before enough was shown the filter is not
-- known: a span that reaches back to the first of all starts shows nothing of it.
with

registrations as (

    select * from intermediate.int_registrations_counted

),

counted as (

    select
        count(*) filter (where has_several_in_one_answer) as several_in_one_answer_count,
        count(*) filter (where transaction_count > 1) as several_transactions_count,
        count(*) filter (where has_several_states) as several_states_count
    from registrations

),

first_start as (

    select min(first_started_at) as first_started_at
    from intermediate.int_calls_spanned

),

answers as (

    select
        cast(sum(calls.version_count) as bigint) as version_count,
        cast(
            sum(case when calls.window_start > first_start.first_started_at then calls.version_count else 0 end)
            as bigint
        ) as later_version_count,
        bool_or(calls.is_start_outside) as is_start_outside,
        bool_or(calls.is_completion_outside) as is_completion_outside,
        bool_or(calls.is_open_start_far_outside) as is_open_start_far_outside
    from intermediate.int_calls_spanned as calls
    cross join first_start

)

select
    counted.several_in_one_answer_count > 0 as lists_all_transactions,
    counted.several_transactions_count > counted.several_states_count as gives_each_update_an_id,
    counted.several_states_count > counted.several_transactions_count as updates_in_place,
    case
        when answers.is_open_start_far_outside then 'last_change'
        when answers.version_count < 20 or answers.version_count is null then cast(null as string)
        when not answers.is_completion_outside then 'completed'
        when not answers.is_start_outside and answers.later_version_count >= 20 then 'started'
    end as filters_on
from counted
cross join answers
