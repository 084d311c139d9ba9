-- One row: what the vendor's answers show of its ways with transactions. Each is false until something shows it.
with

transactions as (

    select * from intermediate.int_transactions_witnessed

),

same_answer as (

    select
        registration_id,
        api_first_call_id,
        count(*) as transaction_count
    from transactions
    where told_by_api
    group by registration_id, api_first_call_id

),

listing as (

    select coalesce(max(transaction_count), 0) > 1 as lists_all_transactions
    from same_answer

),

naming as (

    select count(*) > count(distinct registration_id) as gives_each_update_an_id
    from transactions

)

select
    listing.lists_all_transactions,
    naming.gives_each_update_an_id
from listing
cross join naming
