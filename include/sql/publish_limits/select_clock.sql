-- Reads the database clock: decisions are in time or late by it alone.
-- Grain: one row. Reads: -. Writes: -. Binds: -. Money: -. Rerun: reads only.
select clock_timestamp() as instant;
