-- What DuckDB and Spark call differently, under one name. Run this once in a DuckDB shell, then any model pastes in.
-- The same names for Spark: spark.sql. A model uses these and nothing that only one engine has.

-- Text without an offset is read as UTC, and instants print as UTC.
set timezone = 'UTC';

-- The text of a JSON object's key; null where the key is absent or null, or where there is no JSON.
create or replace temp macro json_text(json, key) as
    case when json_valid(json) then json_extract_string(json, '$."' || key || '"') end;

-- An instant from text, in UTC: `2026-01-31T10:20:30.123Z`, with any offset or none; null where it is none.
-- A plain cast to timestamp would drop the offset without a word, and take `infinity` for an instant.
create or replace temp macro instant_of(text) as
    cast(try_cast(case when text like '%-%-%' then text end as timestamptz) as timestamp);

-- Seconds from one instant to another, with their fraction; negative if the second is the earlier.
create or replace temp macro seconds_between(from_instant, to_instant) as
    (epoch_us(to_instant) - epoch_us(from_instant)) / 1000000.0::double;

-- Whole days from one date to another.
create or replace temp macro days_between(from_date, to_date) as
    cast(date_diff('day', from_date, to_date) as bigint);

-- An instant so many seconds later; earlier for a negative number.
create or replace temp macro seconds_after(instant, seconds) as
    instant + to_microseconds(cast(cast(seconds as double) * 1000000 as bigint));

-- A number below 2 to the power of 60 that stands for a text: equal texts have equal numbers, hardly any others do.
create or replace temp macro text_number(text) as
    cast('0x' || substr(md5(text), 1, 15) as bigint);

-- Texts of an array, sorted, joined, nulls left out: joined_texts(array_agg(distinct email), ', ').
create or replace temp macro joined_texts(texts, separator) as
    array_to_string(list_sort(texts), separator);
