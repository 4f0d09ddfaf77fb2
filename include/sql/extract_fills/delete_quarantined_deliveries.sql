-- Takes the deliveries of files that contradict each other out of staging: both deliver one account and session, and
-- nothing says which is newer. What other files deliver stays.
-- Grain: one row per quarantined file. Reads: staged_deliveries, deliveries. Writes: staged_deliveries.
-- Rerun: changes nothing.
-- Binds: kept_names, kept_load_ids (arrays of equal length: files skipped because nothing in them changed).
with rivals as (
    select
        true as is_staged,
        staged_deliveries.file_name,
        staged_deliveries.account_id,
        staged_deliveries.session_date,
        staged_deliveries.published_at
    from pg_temp.staged_deliveries
    union all
    select
        false as is_staged,
        deliveries.file_name,
        deliveries.account_id,
        deliveries.session_date,
        deliveries.published_at
    from risk.deliveries
    inner join unnest(%(kept_names)s::text[], %(kept_load_ids)s::bigint[]) as kept (file_name, load_id)
        on
            deliveries.file_name = kept.file_name
            and deliveries.load_id = kept.load_id
),

clashes as (
    select
        rivals.account_id,
        rivals.session_date,
        array_agg(rivals.file_name) filter (where rivals.is_staged) as staged_names,
        string_agg(rivals.file_name, ' and ' order by rivals.file_name) as file_names
    from rivals
    group by
        rivals.account_id,
        rivals.session_date,
        rivals.published_at
    having count(*) > 1
),

reasons as (
    select
        clash.file_name,
        min(
            concat(
                clashes.file_names, ' both deliver account ', clashes.account_id, ' for session ', clashes.session_date,
                ' and nothing says which is newer. Remove one, or name both with published_at in manifest.csv.'
            )
        ) as reason
    from clashes
    cross join unnest(clashes.staged_names) as clash (file_name)
    group by clash.file_name
),

deleted as (
    delete from pg_temp.staged_deliveries
    using reasons
    where staged_deliveries.file_name = reasons.file_name
)

select
    reasons.file_name,
    reasons.reason
from reasons
order by reasons.file_name;
