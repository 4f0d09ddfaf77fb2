-- Lists the files that need no second reading while their bytes and their manifest entries are the same.
-- Grain: one row per file name. Reads: source_files, deliveries, current_deliveries, loads. Writes: -. Money: -.
-- Binds: as_of. Rerun: reads only.
-- Only a file that was loaded whole, from which nothing waits for a later session, and whose deliveries still count:
-- where something else replaced one, reading the file again brings it back (A, B, A ends with A).
with newest as (
    select distinct on (source_files.file_name)
        source_files.file_name,
        source_files.load_id,
        source_files.content_sha256,
        source_files.manifest_entries,
        source_files.state,
        source_files.row_count,
        source_files.unchanged_count,
        source_files.deferred_count
    from risk.source_files
    order by
        source_files.file_name asc,
        source_files.load_id desc
),

replaced as (
    select distinct
        deliveries.load_id,
        deliveries.file_name
    from risk.deliveries
    left join risk.current_deliveries(%(as_of)s) as current_ones on deliveries.delivery_id = current_ones.delivery_id
    where
        current_ones.delivery_id is null
        and deliveries.published_at is null
)

select
    newest.file_name,
    newest.load_id,
    newest.content_sha256,
    newest.manifest_entries,
    loads.through_session_date
from newest
inner join risk.loads
    on newest.load_id = loads.load_id
left join replaced
    on
        newest.load_id = replaced.load_id
        and newest.file_name = replaced.file_name
where
    newest.state = 'loaded'
    and newest.deferred_count = 0
    and (newest.unchanged_count = 0 or newest.manifest_entries is not null)
    and replaced.load_id is null
order by newest.file_name;
