-- Completions that stand in several rows, of the registrations that the newest run or the one before it was told of.
with

claimed as (

    select claimed_number
    from intermediate.int_completions_claimed
    where registration_number in (select recent.registration_number from intermediate.int_tellings_recent as recent)

)

select
    completion_id,
    count(*) as row_count
from intermediate.int_completions_identified
where claimed_number in (select claimed.claimed_number from claimed)
group by completion_id
having count(*) > 1
