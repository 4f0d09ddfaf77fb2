-- Reads what the report warns of beside rejected rows: files that the run's load did not load, and failed checks.
-- Grain: one row per file, and one per check and subject, by rank (1 files, 2 blocking, 3 other checks), check and
-- subject. Reads: source_files, loads, quality_results. Binds: load_id, session_date, run_id.
-- A file under whose name nothing is read is named by the runs of the first session that found these bytes.
select
    1 as rank,
    case source_files.state when 'unread' then 'unread' else 'file' end as kind,
    '' as check_name,
    source_files.file_name as subject,
    source_files.reason as message
from risk.source_files
where
    source_files.load_id = %(load_id)s
    and source_files.state in ('quarantined', 'waiting', 'unread')
    and not exists (
        select
        from risk.source_files as named
        inner join risk.loads on named.load_id = loads.load_id
        where
            source_files.state = 'unread'
            and named.state = 'unread'
            and named.file_name = source_files.file_name
            and named.content_sha256 = source_files.content_sha256
            and named.load_id < source_files.load_id
            and loads.through_session_date < %(session_date)s
    )
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
