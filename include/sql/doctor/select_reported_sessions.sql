-- Lists the sessions of a range of days that have a report.
-- Grain: one row per session. Reads: reports, runs. Writes: -. Binds: first, last. Money: -. Rerun: reads only.
select distinct runs.session_date
from risk.reports
inner join risk.runs on reports.run_id = runs.run_id
where runs.session_date between %(first)s and %(last)s
order by runs.session_date;
