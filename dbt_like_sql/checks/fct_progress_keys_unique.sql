-- Registrations that stand in several rows, of those that the newest run or the one before it was told of.
select
    registration_id,
    count(*) as row_count
from intermediate.int_registrations_merged
where registration_number in (select recent.registration_number from intermediate.int_tellings_recent as recent)
group by registration_id
having count(*) > 1
