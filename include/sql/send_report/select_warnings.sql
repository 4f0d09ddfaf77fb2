-- Reads what the report warns of: quarantined files of the run's load, files with rejected fills that concern the run,
-- and failed checks.
-- Grain: one row per file and kind, and one per check and subject, by rank (1 files, 2 blocking, 3 other checks), kind,
-- check and subject; row_count: rejected rows, null for anything else.
-- Reads: source_files, fill_rejects, current_rejects, quality_results.
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
    1 as rank,
    'file' as kind,
    '' as check_name,
    source_files.file_name as subject,
    null::bigint as row_count,
    source_files.reason as message
from risk.source_files
where
    source_files.load_id = %(load_id)s
    and source_files.state = 'quarantined'
union all
select
    1 as rank,
    'rejects' as kind,
    '' as check_name,
    rejected.file_name as subject,
    count(*) as row_count,
    (array_agg(rejected.reason order by rejected.line_number, rejected.load_id))[1] as message
from rejected
group by rejected.file_name
union all
select
    case quality_results.severity when 'fail' then 2 else 3 end as rank,
    'check' as kind,
    quality_results.check_name,
    quality_results.subject,
    null::bigint as row_count,
    quality_results.message
from results.quality_results
where
    quality_results.run_id = %(run_id)s
    and not quality_results.has_passed
order by
    rank asc,
    kind asc,
    check_name asc,
    subject asc;
