-- Reads the first and the last session with a report.
-- Grain: one row; nulls without any. Reads: reports, runs.
select
    min(runs.session_date) as first_session,
    max(runs.session_date) as last_session
from risk.reports
inner join risk.runs on reports.run_id = runs.run_id
where not runs.is_point_in_time;
