-- Reads which of some sessions have a report.
-- Grain: one row per session. Reads: runs, reports. Binds: session_dates.
select distinct runs.session_date
from risk.runs
inner join risk.reports on runs.run_id = reports.run_id
where runs.session_date = any(%(session_dates)s::date[]);
