-- Finds the reported sessions before and after one.
-- Grain: one row. Reads: runs, reports. Writes: -. Binds: session_date. Money: -. Rerun: reads only.
select
    max(runs.session_date) filter (where runs.session_date < %(session_date)s) as earlier,
    min(runs.session_date) filter (where runs.session_date > %(session_date)s) as later
from risk.runs
inner join risk.reports on runs.run_id = reports.run_id;
