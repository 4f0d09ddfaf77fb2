-- Logs the files of this load with their control totals.
-- Grain: one row per file. Reads: staged_files, checked_fills, staged_deliveries, staged_rejects.
-- Writes: source_files. Binds: load_id. Money: -. Rerun: refused by the primary key.
-- Records that name no account-session are counted as rejected in every load that reads them.
insert into risk.source_files (
    load_id,
    file_name,
    content_sha256,
    manifest_entries,
    state,
    reason,
    row_count,
    loaded_count,
    rejected_count,
    duplicate_count,
    unchanged_count,
    deferred_count
)
with unplaced as (
    select
        checked_fills.file_number,
        count(*) as rejected_count
    from checked_fills
    where
        checked_fills.account_id is null
        or checked_fills.session_date is null
    group by checked_fills.file_number
),

ragged as (
    select
        staged_rejects.file_number,
        count(*) as rejected_count
    from staged_rejects
    where staged_rejects.codes = 'ragged'
    group by staged_rejects.file_number
),

delivered as (
    select
        staged_deliveries.file_number,
        sum(staged_deliveries.row_count) as row_count,
        coalesce(sum(staged_deliveries.loaded_count) filter (where staged_deliveries.is_new), 0) as loaded_count,
        coalesce(sum(staged_deliveries.rejected_count) filter (where staged_deliveries.is_new), 0) as rejected_count,
        coalesce(sum(staged_deliveries.duplicate_count) filter (where staged_deliveries.is_new), 0) as duplicate_count,
        coalesce(sum(staged_deliveries.row_count) filter (where not staged_deliveries.is_new), 0) as unchanged_count
    from staged_deliveries
    group by staged_deliveries.file_number
),

counted as (
    select
        staged_files.file_name,
        staged_files.content_sha256,
        staged_files.manifest_entries,
        coalesce(delivered.loaded_count, 0) as loaded_count,
        coalesce(delivered.duplicate_count, 0) as duplicate_count,
        coalesce(delivered.unchanged_count, 0) as unchanged_count,
        staged_files.record_count
        - coalesce(delivered.row_count, 0)
        - coalesce(unplaced.rejected_count, 0) as deferred_count,
        coalesce(delivered.rejected_count, 0)
        + coalesce(unplaced.rejected_count, 0)
        + coalesce(ragged.rejected_count, 0) as rejected_count
    from staged_files
    left join delivered on staged_files.file_number = delivered.file_number
    left join unplaced on staged_files.file_number = unplaced.file_number
    left join ragged on staged_files.file_number = ragged.file_number
    where staged_files.quarantine_reason is null
),

totals as (
    select
        counted.*,
        counted.loaded_count + counted.rejected_count + counted.duplicate_count + counted.unchanged_count
        + counted.deferred_count as row_count
    from counted
)

select
    %(load_id)s,
    totals.file_name,
    totals.content_sha256,
    totals.manifest_entries,
    case when totals.rejected_count > 0 then 'partly loaded' else 'loaded' end,
    case
        when totals.row_count = 0 and totals.manifest_entries is null
            then
                concat(
                    totals.file_name, ' has a header and no rows, and no manifest.csv says for which account and ',
                    'session: it says nothing. Name it in a manifest if it means that nobody traded.'
                )
    end,
    totals.row_count,
    totals.loaded_count,
    totals.rejected_count,
    totals.duplicate_count,
    totals.unchanged_count,
    totals.deferred_count
from totals
order by totals.file_name;
