-- Reads the report stored for a run.
-- Grain: at most one row. Reads: reports. Money: exact decimal strings inside the facts.
select
    reports.facts,
    reports.facts_sha256
from risk.reports
where reports.run_id = %(run_id)s;
