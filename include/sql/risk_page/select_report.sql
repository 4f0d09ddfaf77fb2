-- Reads the newest report of a session, or of the newest session that has one.
-- Grain: at most one row. Reads: runs, reports. Writes: -. Binds: session_date (null = the newest).
-- Money: inside facts. Rerun: reads only.
-- A run that knows the past is a rehearsal: never the newest, and a session's only where it has no other.
select
    runs.run_id,
    runs.session_date,
    runs.effective_session,
    runs.revision,
    runs.as_of,
    runs.dag_run_id,
    reports.recorded_at,
    reports.facts,
    reports.facts_sha256
from risk.runs
inner join risk.reports on runs.run_id = reports.run_id
where
    (%(session_date)s::date is null and not runs.is_point_in_time)
    or runs.session_date = %(session_date)s
order by
    runs.session_date desc,
    runs.is_point_in_time asc,
    runs.revision desc
limit 1;
