-- Keys of marts.dim_learners that stand in several rows.
select
    learner_id,
    count(*) as row_count
from marts.dim_learners
group by learner_id
having count(*) > 1
