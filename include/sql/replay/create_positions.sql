-- Puts an empty table of this connection's own before positions.
-- Grain: one row per account, session and symbol. Reads: -. Writes: -. Binds: -. Money: as in positions.
-- Rerun: gone with its connection.
create temporary table positions (like public.positions including all);
