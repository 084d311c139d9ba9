-- Kinds of update for which the witnesses have not agreed for three days or more.
select
    update_kind,
    agreed_until,
    held_by,
    held_by_gap_id,
    held_by_transaction_id
from audit.watermarks
where agreed_until < seconds_after(as_of, -259200) and held_by = 'a gap'
