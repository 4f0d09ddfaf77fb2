-- Reads the report stored for a run.
-- Grain: at most one row. Reads: reports. Writes: -. Binds: run_id. Money: inside the facts. Rerun: reads only.
select
    reports.facts,
    reports.facts_sha256
from risk.reports
where reports.run_id = %(run_id)s;
