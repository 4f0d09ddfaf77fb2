-- Reads the page of the newest report of a session as it was rendered, charts included.
-- Grain: at most one row. Reads: runs, report_parts. Binds: session_date.
-- A point-in-time run is a dry run: it counts only where the session has no other.
select report_parts.content
from risk.runs
inner join risk.report_parts on runs.run_id = report_parts.run_id
where
    runs.session_date = %(session_date)s
    and report_parts.part_name = 'report.html'
order by
    runs.is_point_in_time asc,
    runs.revision desc
limit 1;
