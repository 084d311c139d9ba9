-- Learners that stand in several rows, of the registrations that the newest run or the one before it was told of.
with

learners as (

    select learner_id
    from intermediate.int_registrations_merged
    where registration_number in (select recent.registration_number from intermediate.int_tellings_recent as recent)

)

select
    learner_id,
    count(*) as row_count
from marts.dim_learners
where learner_id in (select learners.learner_id from learners)
group by learner_id
having count(*) > 1
