-- Finds the first session that was run as it happened, neither from an imported history nor as of the past.
-- Grain: one row; null = none was. Reads: runs, loads. Writes: -. Binds: -. Money: -. Rerun: reads only.
select min(runs.session_date) as first_session_date
from risk.runs
inner join risk.loads on runs.load_id = loads.load_id
where
    not loads.is_history
    and not runs.is_point_in_time;
