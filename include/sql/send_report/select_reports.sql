-- Reads the report stored for a run, and whether a later revision of the session has one.
-- Grain: at most one row. Reads: reports, runs. Money: exact decimal strings inside the facts.
-- A point-in-time run supersedes point-in-time runs only.
select
    reports.facts,
    reports.facts_sha256,
    (
        select count(*) > 0
        from risk.runs as later
        inner join risk.reports as later_reports on later.run_id = later_reports.run_id
        where
            later.session_date = runs.session_date
            and later.revision > runs.revision
            and (runs.is_point_in_time or not later.is_point_in_time)
    ) as is_superseded
from risk.reports
inner join risk.runs on reports.run_id = runs.run_id
where reports.run_id = %(run_id)s;
