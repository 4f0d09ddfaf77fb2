-- Quarantines files that contradict each other or the manifest.
-- Grain: one row per file. Reads: staged_deliveries, staged_entries, deliveries. Writes: staged_files. Money: -.
-- Binds: has_manifest; kept_names, kept_load_ids (arrays of equal length: files skipped because nothing in them
-- changed). Rerun: changes nothing.
with rivals as (
    select
        staged_deliveries.file_number,
        staged_files.file_name,
        staged_deliveries.account_id,
        staged_deliveries.session_date,
        staged_deliveries.published_at
    from staged_deliveries
    inner join staged_files on staged_deliveries.file_number = staged_files.file_number
    union all
    select
        null::integer as file_number,
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
        rivals.published_at,
        array_agg(rivals.file_number) as file_numbers,
        string_agg(rivals.file_name, ' and ' order by rivals.file_name) as file_names
    from rivals
    group by
        rivals.account_id,
        rivals.session_date,
        rivals.published_at
    having count(*) > 1
),

strangers as (
    select
        staged_deliveries.file_number,
        staged_files.file_name,
        min(concat(staged_deliveries.account_id, ' on ', staged_deliveries.session_date)) as found
    from staged_deliveries
    inner join staged_files on staged_deliveries.file_number = staged_files.file_number
    where
        %(has_manifest)s
        and staged_deliveries.published_at is null
    group by
        staged_deliveries.file_number,
        staged_files.file_name
),

reasons as (
    select
        clash.file_number,
        min(
            concat(
                clashes.file_names, ' both deliver account ', clashes.account_id, ' for session ', clashes.session_date,
                ' and nothing says which is newer. Remove one, or name both with published_at in manifest.csv.'
            )
        ) as reason
    from clashes
    cross join unnest(clashes.file_numbers) as clash (file_number)
    where clash.file_number is not null
    group by clash.file_number
    union all
    select
        strangers.file_number,
        concat(
            strangers.file_name, ' holds executions of account ', strangers.found,
            ', which its entry in manifest.csv does not name. Correct the entry or replace the file.'
        ) as reason
    from strangers
)

update staged_files set
    quarantine_reason = first_reasons.reason
from (
    select
        reasons.file_number,
        min(reasons.reason) as reason
    from reasons
    group by reasons.file_number
) as first_reasons
where staged_files.file_number = first_reasons.file_number;
