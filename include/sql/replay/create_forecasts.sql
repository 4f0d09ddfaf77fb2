-- Puts an empty table of this connection's own before forecasts.
-- Grain: one row per account, effective session and expert. Reads: -. Writes: -. Binds: -. Money: as in forecasts.
-- Rerun: gone with its connection.
create temporary table forecasts (like public.forecasts including all);
