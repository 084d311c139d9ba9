-- Kinds of update for which the witnesses have not agreed for three days or more, the oldest first.
select
    update_kind,
    agreed_until,
    held_by,
    held_by_gap_id,
    held_by_transaction_id,
    'API and webhook agree on what is '
    || update_kind
    || ' up to '
    || cast(agreed_until as string)
    || ' UTC only, '
    || cast(cast(floor(seconds_between(agreed_until, as_of) / 86400.0) as bigint) as string)
    || ' days before this run: the gap of transaction '
    || cast(held_by_transaction_id as string)
    || ' holds them there.' as told
from audit.watermarks
where agreed_until < seconds_after(as_of, -259200) and held_by = 'a gap'
order by agreed_until asc nulls last, update_kind asc nulls last
