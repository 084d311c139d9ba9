-- One row per version of a record that the API told: `raw.api_progress`, trimmed and typed.
-- An empty text is none, and so are the first day of the first year and a UUID of zeros, which some systems write for
-- it. Most instants are in UTC and read at once; the others by their offset. A value that was given but cannot be
-- read is null here and named in `unread_fields`. An activity has one IRI, with a last slash or without: on its page
-- the vendor has the API leave out the slash that the webhook writes. A registration or code that has the form of a
-- UUID is the same in capitals and in small letters (RFC 9562), which systems write now so, now so; it is small here.
-- `record_hash` is over what was told, verbatim.
with

source as (

    select * from raw.api_progress

),

trimmed as (

    select
        nullif(trim(transaction_id), '') as transaction_text,
        nullif(trim(registration), '') as registration_text,
        nullif(trim(member_identifier), '') as member_identifier,
        nullif(trim(email), '') as email,
        nullif(trim(first_name), '') as first_name,
        nullif(trim(last_name), '') as last_name,
        nullif(trim(activity_id), '') as activity_id,
        nullif(trim(activity_title), '') as activity_title,
        nullif(trim(date_started), '') as started_text,
        nullif(trim(progress), '') as progress_text,
        nullif(trim(date_completed), '') as completed_text,
        nullif(trim(completion_code), '') as completion_code,
        extra,
        md5(
            concat_ws(
                '|',
                concat_ws(':', cast(length(transaction_id) as string), transaction_id),
                concat_ws(':', cast(length(first_name) as string), first_name),
                concat_ws(':', cast(length(last_name) as string), last_name),
                concat_ws(':', cast(length(email) as string), email),
                concat_ws(':', cast(length(member_identifier) as string), member_identifier),
                concat_ws(':', cast(length(activity_id) as string), activity_id),
                concat_ws(':', cast(length(activity_title) as string), activity_title),
                concat_ws(':', cast(length(registration) as string), registration),
                concat_ws(':', cast(length(date_started) as string), date_started),
                concat_ws(':', cast(length(progress) as string), progress),
                concat_ws(':', cast(length(date_completed) as string), date_completed),
                concat_ws(':', cast(length(completion_code) as string), completion_code),
                concat_ws(':', cast(length(extra) as string), extra)
            )
        ) as record_hash,
        call_id,
        position,
        observed_at,
        load_number
    from source

),

typed as (

    select
        *,
        try_cast(transaction_text as bigint) as transaction_id,
        case
            when started_text like '0001-01-01%' then cast(null as timestamp)
            when started_text like '____-__-__T__:__:__' or started_text like '____-__-__T__:__:__%Z'
                then try_cast(started_text as timestamp)
            else instant_of(started_text)
        end as started_at,
        case
            when completed_text like '0001-01-01%' then cast(null as timestamp)
            when completed_text like '____-__-__T__:__:__' or completed_text like '____-__-__T__:__:__%Z'
                then try_cast(completed_text as timestamp)
            else instant_of(completed_text)
        end as completed_at,
        case
            when try_cast(progress_text as double) between -1000000 and 1000000
                then try_cast(progress_text as double)
        end as progress_percent
    from trimmed

)

select
    transaction_id,
    coalesce(
        case
            when registration_text like '________-____-____-____-____________' then lower(registration_text)
            else registration_text
        end,
        'transaction:' || transaction_text
    ) as registration_id,
    member_identifier,
    email,
    first_name,
    last_name,
    rtrim(activity_id, '/') as activity_id,
    activity_title,
    started_at,
    progress_percent,
    completed_at,
    case
        when completion_code = '00000000-0000-0000-0000-000000000000' then cast(null as string)
        when completion_code like '________-____-____-____-____________' then lower(completion_code)
        else completion_code
    end as completion_code,
    nullif(
        concat_ws(
            ', ',
            case when transaction_text is not null and transaction_id is null then 'transaction_id' end,
            case
                when started_text not like '0001-01-01%' and started_at is null then 'started_at'
            end,
            case when progress_text is not null and progress_percent is null then 'progress_percent' end,
            case
                when completed_text not like '0001-01-01%' and completed_at is null then 'completed_at'
            end
        ),
        ''
    ) as unread_fields,
    registration_text is not null as has_registration,
    extra,
    record_hash,
    call_id,
    position,
    observed_at,
    load_number
from typed
