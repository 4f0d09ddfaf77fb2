-- Reads what the report warns of beside rejected rows: quarantined files of the run's load, and failed checks.
-- Grain: one row per file, and one per check and subject, by rank (1 files, 2 blocking, 3 other checks), check and
-- subject. Reads: source_files, quality_results. Binds: load_id, run_id.
select
    1 as rank,
    'file' as kind,
    '' as check_name,
    source_files.file_name as subject,
    source_files.reason as message
from risk.source_files
where
    source_files.load_id = %(load_id)s
    and source_files.state = 'quarantined'
union all
select
    case quality_results.severity when 'fail' then 2 else 3 end as rank,
    'check' as kind,
    quality_results.check_name,
    quality_results.subject,
    quality_results.message
from results.quality_results
where
    quality_results.run_id = %(run_id)s
    and not quality_results.has_passed
order by
    rank asc,
    check_name asc,
    subject asc;
