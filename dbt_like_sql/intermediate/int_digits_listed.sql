-- One row per digit, 0 to 9: what numbers are made of where a span of them is to be listed.
select 0 as digit
union all
select 1 as digit
union all
select 2 as digit
union all
select 3 as digit
union all
select 4 as digit
union all
select 5 as digit
union all
select 6 as digit
union all
select 7 as digit
union all
select 8 as digit
union all
select 9 as digit
