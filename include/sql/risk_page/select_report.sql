-- Reads the newest report of a session, or of the newest session that has one, and its reported neighbors.
-- Grain: at most one row. Reads: runs, reports, report_digests. Binds: session_date (null = the newest).
-- A point-in-time run is a dry run: never the newest, and a session's only where it has no other.
select
    runs.run_id,
    runs.session_date,
    runs.effective_session,
    runs.revision,
    runs.as_of,
    runs.dag_run_id,
    reports.recorded_at,
    reports.facts,
    reports.facts_sha256,
    coalesce(report_digests.report_sha256, reports.facts_sha256) as report_sha256,
    (
        select max(others.session_date)
        from risk.runs as others
        inner join risk.reports as other_reports on others.run_id = other_reports.run_id
        where others.session_date < runs.session_date
    ) as earlier_session,
    (
        select min(others.session_date)
        from risk.runs as others
        inner join risk.reports as other_reports on others.run_id = other_reports.run_id
        where others.session_date > runs.session_date
    ) as later_session
from risk.runs
inner join risk.reports on runs.run_id = reports.run_id
left join risk.report_digests on reports.run_id = report_digests.run_id
where
    (%(session_date)s::date is null and not runs.is_point_in_time)
    or runs.session_date = %(session_date)s
order by
    runs.session_date desc,
    runs.is_point_in_time asc,
    runs.revision desc
limit 1;
