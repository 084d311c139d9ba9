-- One row per transaction and set of fields in which its two witnesses told one state with different values.
-- Both must give a value: what one leaves out contradicts nothing. Instants are compared by the second, addresses
-- without regard to case. The first telling of each witness is compared: what differs only later is a change and no
-- contradiction. Nor is a name or a title that the API itself told as the webhook
-- did, in an earlier answer about the registration: it changed between the push and the answer.
with

-- All but the many that were told alike, word for word.
doubtful as (

    select
        registration_id,
        transaction_id
    from intermediate.int_transactions_witnessed
    where told_by_api and told_by_webhook and not is_told_alike

),

tellings as (

    select unioned.*
    from intermediate.int_tellings_unioned as unioned
    inner join doubtful
        on unioned.registration_id = doubtful.registration_id and unioned.transaction_id = doubtful.transaction_id

),

pairs as (

    select
        api.registration_id,
        api.transaction_id,
        api.state_order,
        api.is_completed,
        api.call_id,
        webhook.delivery_id,
        webhook.email as webhook_email,
        webhook.first_name as webhook_first_name,
        webhook.last_name as webhook_last_name,
        webhook.activity_title as webhook_activity_title,
        greatest(api.told_at, webhook.told_at) as told_at,
        greatest(api.load_number, webhook.load_number) as load_number,
        row_number() over (
            partition by api.registration_id, api.transaction_id, api.state_order
            order by
                api.call_id asc nulls last,
                api.position asc nulls last,
                webhook.told_at asc nulls last,
                webhook.delivery_id asc nulls last,
                webhook.position asc nulls last
        ) as pair_number,
        case
            when lower(api.email) <> lower(webhook.email) then 'email: ' || api.email || ' / ' || webhook.email
        end as email,
        case
            when api.first_name <> webhook.first_name
                then 'first_name: ' || api.first_name || ' / ' || webhook.first_name
        end as first_name,
        case
            when api.last_name <> webhook.last_name then 'last_name: ' || api.last_name || ' / ' || webhook.last_name
        end as last_name,
        case
            when api.member_identifier <> webhook.member_identifier
                then 'member_identifier: ' || api.member_identifier || ' / ' || webhook.member_identifier
        end as member_identifier,
        case
            when api.activity_id <> webhook.activity_id
                then 'activity_id: ' || api.activity_id || ' / ' || webhook.activity_id
        end as activity_id,
        case
            when api.activity_title <> webhook.activity_title
                then 'activity_title: ' || api.activity_title || ' / ' || webhook.activity_title
        end as activity_title,
        case
            when date_trunc('second', api.started_at) <> date_trunc('second', webhook.started_at)
                then
                    'started_at: '
                    || cast(api.started_at as string)
                    || ' / '
                    || cast(webhook.started_at as string)
        end as started_at,
        case
            when date_trunc('second', api.completed_at) <> date_trunc('second', webhook.completed_at)
                then
                    'completed_at: '
                    || cast(api.completed_at as string)
                    || ' / '
                    || cast(webhook.completed_at as string)
        end as completed_at,
        case
            when api.completion_code <> webhook.completion_code
                then 'completion_code: ' || api.completion_code || ' / ' || webhook.completion_code
        end as completion_code
    from tellings as api
    inner join tellings as webhook
        on
            api.registration_id = webhook.registration_id
            and api.transaction_id = webhook.transaction_id
            and api.state_order = webhook.state_order
    where api.witness = 'api' and webhook.witness = 'webhook'

),

named as (

    select
        registration_id,
        transaction_id,
        state_order,
        is_completed,
        call_id,
        delivery_id,
        told_at,
        load_number,
        pair_number,
        webhook_email,
        webhook_first_name,
        webhook_last_name,
        webhook_activity_title,
        member_identifier is null
        and activity_id is null
        and started_at is null
        and completed_at is null
        and completion_code is null as is_of_names_alone,
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
        ) as differing_fields,
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
        ) as differing_values
    from pairs

),

doubtful_registrations as (

    select distinct registration_id
    from doubtful

),

names_told as (

    select
        unioned.registration_id,
        unioned.email,
        unioned.first_name,
        unioned.last_name,
        unioned.activity_title,
        min(unioned.call_id) as call_id
    from intermediate.int_tellings_unioned as unioned
    inner join doubtful_registrations on unioned.registration_id = doubtful_registrations.registration_id
    where unioned.witness = 'api'
    group by
        unioned.registration_id, unioned.email, unioned.first_name, unioned.last_name, unioned.activity_title

),

contradicting as (

    select named.*
    from named
    left join names_told
        on
            named.registration_id = names_told.registration_id
            and named.call_id > names_told.call_id
            and named.is_of_names_alone
            and coalesce(named.webhook_email, '') = coalesce(names_told.email, '')
            and coalesce(named.webhook_first_name, '') = coalesce(names_told.first_name, '')
            and coalesce(named.webhook_last_name, '') = coalesce(names_told.last_name, '')
            and coalesce(named.webhook_activity_title, '') = coalesce(names_told.activity_title, '')
    where named.differing_fields <> '' and named.pair_number = 1 and names_told.registration_id is null

),

differing as (

    select
        *,
        row_number() over (
            partition by registration_id, transaction_id, differing_fields
            order by told_at asc nulls last, state_order asc nulls last
        ) as state_number
    from contradicting

),

-- What agrees later, in whatever state, takes the contradiction back.
agreed as (

    select
        differing.registration_id,
        differing.transaction_id,
        differing.differing_fields,
        min(named.told_at) as agreed_at,
        min(named.load_number) as agreed_load_number
    from differing
    inner join named
        on
            differing.registration_id = named.registration_id
            and differing.transaction_id = named.transaction_id
            and differing.told_at < named.told_at
    where differing.state_number = 1 and named.differing_fields = ''
    group by differing.registration_id, differing.transaction_id, differing.differing_fields

)

select
    differing.registration_id,
    differing.transaction_id,
    differing.differing_fields,
    differing.differing_values,
    differing.state_order,
    differing.is_completed,
    differing.call_id,
    differing.delivery_id,
    differing.told_at,
    told_loads.as_of as known_at,
    seconds_after(differing.told_at, told_loads.settle_minutes * 60) as due_at,
    agreed.agreed_at,
    agreed_loads.as_of as agreed_known_at
from differing
left join agreed
    on
        differing.registration_id = agreed.registration_id
        and differing.transaction_id = agreed.transaction_id
        and differing.differing_fields = agreed.differing_fields
left join intermediate.int_loads_timed as told_loads on differing.load_number = told_loads.load_number
left join intermediate.int_loads_timed as agreed_loads on agreed.agreed_load_number = agreed_loads.load_number
where differing.state_number = 1
