-- Marks the deliveries that say something new: those whose content differs from the one just before them.
-- Grain: one row per staged delivery. Reads: deliveries, sessions. Writes: staged_deliveries.
-- Binds: recorded_at. Rerun: changes nothing.
-- Before = by published_at, or by the time of recording where the source does not say. So the versions of a history
-- are compared one by one, and A, B, A is three deliveries. An empty delivery at or after the close + 24 h means
-- "no trades", an earlier one "not posted": the later one is news although both are empty. So is the same content that
-- is as long as the manifest states, or no longer is.
with involved as (
    select distinct
        staged_deliveries.account_id,
        staged_deliveries.session_date
    from pg_temp.staged_deliveries
),

versions as (
    select
        deliveries.account_id,
        deliveries.session_date,
        null::text as file_name,
        deliveries.row_count,
        deliveries.content_sha256,
        deliveries.stated_count,
        deliveries.delivery_id,
        coalesce(deliveries.published_at, deliveries.recorded_at) as known_at
    from risk.deliveries
    inner join involved
        on
            deliveries.account_id = involved.account_id
            and deliveries.session_date = involved.session_date
    union all
    select
        staged_deliveries.account_id,
        staged_deliveries.session_date,
        staged_deliveries.file_name,
        staged_deliveries.row_count,
        staged_deliveries.content_sha256,
        staged_deliveries.stated_count,
        null::bigint as delivery_id,
        coalesce(staged_deliveries.published_at, %(recorded_at)s) as known_at
    from pg_temp.staged_deliveries
),

messages as (
    select
        versions.account_id,
        versions.session_date,
        versions.file_name,
        versions.delivery_id,
        versions.known_at,
        concat(
            versions.content_sha256,
            versions.stated_count,
            case
                when versions.row_count = 0 and versions.known_at >= sessions.closes_at + interval '24 hours' then '!'
            end
        ) as message
    from versions
    inner join risk.sessions on versions.session_date = sessions.session_date
),

compared as (
    select
        messages.account_id,
        messages.session_date,
        messages.file_name,
        messages.message,
        lag(messages.message) over (
            partition by messages.account_id, messages.session_date
            order by messages.known_at asc, messages.delivery_id asc nulls last, messages.file_name asc
        ) as earlier_message
    from messages
)

update pg_temp.staged_deliveries set
    is_new = (compared.earlier_message is null or compared.message <> compared.earlier_message)
from compared
where
    staged_deliveries.file_name = compared.file_name
    and staged_deliveries.account_id = compared.account_id
    and staged_deliveries.session_date = compared.session_date;
