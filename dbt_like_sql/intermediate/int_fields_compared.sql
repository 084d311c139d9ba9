-- One row per transaction whose two witnesses told one state with different values in a field.
-- Both must give a value: what one leaves out contradicts nothing. Instants are compared by the second, addresses
-- without regard to case, and an IRI's last slash does not count. The first telling of each is compared: what differs
-- only later is a change and no contradiction.
with

told_by_both as (

    select *
    from intermediate.int_transactions_witnessed
    where
        told_by_api
        and told_by_webhook
        and api_state_order = webhook_state_order
        and api_record_hash <> webhook_record_hash

),

compared as (

    select
        registration_id,
        transaction_id,
        api_state_order as state_order,
        api_is_completed as is_completed,
        api_last_call_id as call_id,
        greatest(api_last_told_at, webhook_last_told_at) as told_at,
        api_last_load_number,
        webhook_last_load_number,
        case
            when lower(api_email) <> lower(webhook_email) then concat('email: ', api_email, ' / ', webhook_email)
        end as email,
        case
            when api_first_name <> webhook_first_name
                then concat('first_name: ', api_first_name, ' / ', webhook_first_name)
        end as first_name,
        case
            when api_last_name <> webhook_last_name
                then concat('last_name: ', api_last_name, ' / ', webhook_last_name)
        end as last_name,
        case
            when api_member_identifier <> webhook_member_identifier
                then concat('member_identifier: ', api_member_identifier, ' / ', webhook_member_identifier)
        end as member_identifier,
        case
            when rtrim(api_activity_id, '/') <> rtrim(webhook_activity_id, '/')
                then concat('activity_id: ', api_activity_id, ' / ', webhook_activity_id)
        end as activity_id,
        case
            when api_activity_title <> webhook_activity_title
                then concat('activity_title: ', api_activity_title, ' / ', webhook_activity_title)
        end as activity_title,
        case
            when date_trunc('second', api_started_at) <> date_trunc('second', webhook_started_at)
                then
                    concat(
                        'started_at: ', cast(api_started_at as varchar), ' / ', cast(webhook_started_at as varchar)
                    )
        end as started_at,
        case
            when date_trunc('second', api_completed_at) <> date_trunc('second', webhook_completed_at)
                then
                    concat(
                        'completed_at: ',
                        cast(api_completed_at as varchar),
                        ' / ',
                        cast(webhook_completed_at as varchar)
                    )
        end as completed_at,
        case
            when api_completion_code <> webhook_completion_code
                then concat('completion_code: ', api_completion_code, ' / ', webhook_completion_code)
        end as completion_code
    from told_by_both

),

named as (

    select
        registration_id,
        transaction_id,
        state_order,
        is_completed,
        call_id,
        told_at,
        api_last_load_number,
        webhook_last_load_number,
        concat_ws(
            '; ',
            email,
            first_name,
            last_name,
            member_identifier,
            activity_id,
            activity_title,
            started_at,
            completed_at,
            completion_code
        ) as differing_values,
        concat_ws(
            ', ',
            case when email is not null then 'email' end,
            case when first_name is not null then 'first_name' end,
            case when last_name is not null then 'last_name' end,
            case when member_identifier is not null then 'member_identifier' end,
            case when activity_id is not null then 'activity_id' end,
            case when activity_title is not null then 'activity_title' end,
            case when started_at is not null then 'started_at' end,
            case when completed_at is not null then 'completed_at' end,
            case when completion_code is not null then 'completion_code' end
        ) as differing_fields
    from compared

)

select
    named.registration_id,
    named.transaction_id,
    named.state_order,
    named.is_completed,
    named.call_id,
    named.told_at,
    greatest(api_loads.as_of, webhook_loads.as_of) as known_at,
    seconds_after(named.told_at, api_loads.settle_minutes * 60) as due_at,
    named.differing_fields,
    named.differing_values
from named
left join intermediate.int_loads_timed as api_loads on named.api_last_load_number = api_loads.load_number
left join intermediate.int_loads_timed as webhook_loads on named.webhook_last_load_number = webhook_loads.load_number
where named.differing_fields <> ''
