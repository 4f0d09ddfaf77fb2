-- Asks the warehouse what time it is, to compare it with the clock of the machine that watches.
-- Grain: one row. Reads: -. Writes: -. Binds: -. Money: -. Rerun: reads only.
select clock_timestamp() as asked_at;
