-- Reads the clock of the warehouse, to compare it with that of the machine that runs the watchdog.
-- Grain: one row.
select clock_timestamp() as asked_at;
