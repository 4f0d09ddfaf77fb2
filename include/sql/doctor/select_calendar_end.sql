-- Finds the last session of the warehouse's calendar.
-- Grain: one row. Reads: sessions. Writes: -. Binds: -. Money: -. Rerun: reads only.
select max(sessions.session_date) as last_session
from risk.sessions;
