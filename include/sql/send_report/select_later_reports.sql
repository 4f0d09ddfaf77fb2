-- Finds the newest revision of the session that is later than this run and has its report already.
-- Grain: one row; null = there is none. Reads: reports, runs. Writes: -. Binds: session_date, revision,
-- is_point_in_time. Money: -. Rerun: reads only.
-- A run that knows the past takes no other's place than that of one like it.
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
