-- Reads one run and whether its desk is simulated.
-- Grain: one row. Reads: runs, loads. Writes: -. Binds: run_id. Money: -. Rerun: reads only.
select
    runs.run_id,
    runs.session_date,
    runs.effective_session,
    runs.as_of,
    runs.revision,
    runs.load_id,
    runs.dag_run_id,
    runs.code_version,
    loads.is_simulated,
    runs.is_point_in_time
from risk.runs
inner join risk.loads on runs.load_id = loads.load_id
where runs.run_id = %(run_id)s;
