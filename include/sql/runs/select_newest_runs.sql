-- Finds the newest run of the newest session, as things are known now.
-- Grain: at most one row. Reads: runs. Writes: -. Binds: -. Money: -. Rerun: reads only.
select runs.run_id
from risk.runs
where not runs.is_point_in_time
order by
    runs.session_date desc,
    runs.revision desc
limit 1;
