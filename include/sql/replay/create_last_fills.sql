-- Puts an empty table of this connection's own before last_fills.
-- Grain: one row per session, symbol and currency. Reads: -. Writes: -. Binds: -. Money: as in last_fills.
-- Rerun: gone with its connection.
create temporary table last_fills (like public.last_fills including all);
