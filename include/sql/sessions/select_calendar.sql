-- Tells which exchange's sessions the warehouse keeps.
-- Grain: one row; none before the first run. Reads: calendars. Writes: -. Binds: -. Money: -. Rerun: the same.
select calendars.calendar_code
from risk.calendars;
