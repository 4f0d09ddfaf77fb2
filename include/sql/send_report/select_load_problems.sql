-- Reads the files of the run's load that were quarantined, and the files with rejected fills that concern the run.
-- Grain: one row per file and kind, by kind and file name; rejected_count is null for a quarantined file.
-- Reads: source_files, fill_rejects, current_rejects.
-- Rejected fills concern the run if its load found them first or its session lacks them. Rejected rows of reference
-- files are findings of the checks.
with rejected as (
    select
        fill_rejects.load_id,
        fill_rejects.file_name,
        fill_rejects.line_number,
        fill_rejects.reason
    from risk.fill_rejects
    where
        fill_rejects.load_id = %(load_id)s
        and fill_rejects.file_name like 'fills%%'
    union
    select
        known.load_id,
        known.file_name,
        known.line_number,
        known.reason
    from risk.current_rejects(%(session_date)s, %(as_of)s, %(load_id)s) as known
)

select
    'file' as kind,
    source_files.file_name,
    null::bigint as rejected_count,
    source_files.reason
from risk.source_files
where
    source_files.load_id = %(load_id)s
    and source_files.state = 'quarantined'
union all
select
    'rejects' as kind,
    rejected.file_name,
    count(*) as rejected_count,
    (array_agg(rejected.reason order by rejected.line_number, rejected.load_id))[1] as reason
from rejected
group by rejected.file_name
order by
    kind asc,
    file_name asc;
