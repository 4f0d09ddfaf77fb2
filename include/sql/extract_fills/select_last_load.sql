-- Finds the last look at the source for a session.
-- Grain: one row, null without a look. Reads: loads. Writes: -. Binds: session_date. Money: -. Rerun: reads only.
select max(loads.load_id) as load_id
from risk.loads
where loads.through_session_date = %(session_date)s;
