-- Finds the latest revision of the session after this run's that has a report.
-- Grain: one row; null = there is none. Reads: reports, runs.
-- A point-in-time run supersedes point-in-time runs only.
with later_runs as (
    select
        runs.run_id,
        runs.revision
    from risk.runs
    where
        runs.session_date = %(session_date)s
        and runs.revision > %(revision)s
        and (%(is_point_in_time)s or not runs.is_point_in_time)
)

select max(later_runs.revision) as revision
from later_runs
inner join risk.reports on later_runs.run_id = reports.run_id;
