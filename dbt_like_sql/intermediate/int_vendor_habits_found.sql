-- One row: what the vendor's tellings show of its ways. What nothing has shown yet is false, or null for the filter.
-- A record that an answer held though its start lay outside the span asked for shows that starts are not filtered on;
-- the same for completions. Before enough was shown the filter is not known.
with

registrations as (

    select * from intermediate.int_registrations_merged

),

counted as (

    select
        count(*) filter (where told_by_api) as shown_count,
        count(*) filter (where has_several_in_one_answer) as several_in_one_answer_count,
        count(*) filter (where transaction_count > 1) as several_transactions_count,
        count(*) filter (where has_several_states) as several_states_count,
        count(*) filter (where is_shown_outside_start) as outside_start_count,
        count(*) filter (where is_shown_outside_completion) as outside_completion_count
    from registrations

)

select
    several_in_one_answer_count > 0 as lists_all_transactions,
    several_transactions_count > several_states_count as gives_each_update_an_id,
    several_states_count > several_transactions_count as updates_in_place,
    case
        when outside_start_count > 0 and outside_completion_count > 0 then 'last_change'
        when shown_count < 20 then cast(null as string)
        when outside_completion_count = 0 then 'completed'
        when outside_start_count = 0 then 'started'
    end as filters_on
from counted
