-- Keys of audit.gaps that stand in several rows.
select
    gap_id,
    count(*) as row_count
from audit.gaps
group by gap_id
having count(*) > 1
