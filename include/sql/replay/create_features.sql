-- Puts an empty table of this connection's own before features.
-- Grain: one row per account and session. Reads: -. Writes: -. Binds: -. Money: as in features.
-- Rerun: gone with its connection.
create temporary table features (like public.features including all);
