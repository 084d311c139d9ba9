-- One row per line of the file of validities as it is now; `*` stands for every activity without a line of its own.
with

newest as (

    select max(load_number) as load_number
    from raw.activity_validities

)

select
    listed.activity_id,
    listed.valid_months,
    listed.valid_days
from raw.activity_validities as listed
inner join newest on listed.load_number = newest.load_number
where listed.activity_id is not null
