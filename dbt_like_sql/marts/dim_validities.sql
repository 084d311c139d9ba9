-- One row per activity in the file of validities as it is now; `*` stands for every activity without a line of its own.
-- An IRI's last slash does not count, as in staging; of two lines for one activity the first does.
with

newest as (

    select max(load_number) as load_number
    from raw.activity_validities

)

select
    rtrim(listed.activity_id, '/') as activity_id,
    listed.valid_months,
    listed.valid_days
from raw.activity_validities as listed
inner join newest on listed.load_number = newest.load_number
where listed.activity_id is not null
qualify row_number() over (partition by rtrim(listed.activity_id, '/') order by listed.position asc nulls last) = 1
