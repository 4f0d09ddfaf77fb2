-- Finds the newest session that has a report.
-- Grain: at most one row. Reads: reports, runs. Writes: -. Binds: -. Money: -. Rerun: reads only.
select
    runs.session_date,
    reports.recorded_at,
    runs.run_id
from risk.reports
inner join risk.runs on reports.run_id = runs.run_id
order by runs.session_date desc, runs.is_point_in_time asc, runs.revision desc
limit 1;
