-- Reads what was delivered for a session as known at an instant: rows = loaded + rejected + duplicate.
-- Grain: one row per delivery, by account; then one per file with rows that belong to no account, and one per file that
-- the run's load did not load. Reads: current_deliveries, current_rejects, source_files, loads, runs.
-- Binds: session_date, as_of, run_id (null = the newest load is meant). account_id: null = of no account.
-- row_count: null = the file was not loaded, and nobody knows what is in it.
with chosen as (
    select
        loads.load_id,
        loads.recorded_at
    from risk.loads
    where
        %(run_id)s::bigint is null
        or loads.load_id = (select runs.load_id from risk.runs where runs.run_id = %(run_id)s)
    order by loads.load_id desc
    limit 1
)

select
    current_ones.account_id,
    current_ones.file_name,
    current_ones.recorded_at,
    current_ones.row_count,
    current_ones.loaded_count,
    current_ones.rejected_count,
    current_ones.duplicate_count,
    current_ones.row_count = current_ones.loaded_count + current_ones.rejected_count + current_ones.duplicate_count
        as is_balanced
from risk.current_deliveries(%(as_of)s) as current_ones
where current_ones.session_date = %(session_date)s
union all
select
    null as account_id,
    known.file_name,
    chosen.recorded_at,
    count(*) as row_count,
    0 as loaded_count,
    count(*) as rejected_count,
    0 as duplicate_count,
    true as is_balanced
from chosen
cross join lateral risk.current_rejects(%(session_date)s, %(as_of)s, chosen.load_id) as known
where known.delivery_id is null
group by
    known.file_name,
    chosen.recorded_at
union all
select
    null as account_id,
    source_files.file_name,
    chosen.recorded_at,
    null as row_count,
    null as loaded_count,
    null as rejected_count,
    null as duplicate_count,
    false as is_balanced
from chosen
inner join risk.source_files on chosen.load_id = source_files.load_id
where source_files.state in ('quarantined', 'waiting')
order by
    account_id asc nulls last,
    file_name asc;
