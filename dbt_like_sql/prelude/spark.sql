-- The same names as duckdb.sql, for Spark 4.2 and later: run once in a session with
-- spark.sql.session.timeZone=UTC and spark.sql.timestampType=TIMESTAMP_NTZ.

create or replace temporary function json_text(json string, key string) returns string
    return get_json_object(json, concat('$[''', key, ''']'));

create or replace temporary function instant_of(text string) returns timestamp_ntz
    return cast(try_cast(case when text like '%-%-%' then text end as timestamp_ltz) as timestamp_ntz);

create or replace temporary function seconds_between(from_instant timestamp_ntz, to_instant timestamp_ntz) returns double
    return (unix_micros(cast(to_instant as timestamp_ltz)) - unix_micros(cast(from_instant as timestamp_ltz)))
        / cast(1000000.0 as double);

create or replace temporary function days_between(from_date date, to_date date) returns bigint
    return cast(datediff(to_date, from_date) as bigint);

create or replace temporary function seconds_after(instant timestamp_ntz, seconds double) returns timestamp_ntz
    return timestampadd(microsecond, cast(seconds * 1000000 as bigint), instant);

create or replace temporary function text_number(text string) returns bigint
    return cast(conv(substr(md5(text), 1, 15), 16, 10) as bigint);

create or replace temporary function joined_texts(texts array<string>, separator string) returns string
    return array_join(array_sort(texts), separator);
