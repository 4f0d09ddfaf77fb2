-- Puts an empty table of this connection's own before quality_results.
-- Grain: one row per check and subject. Reads: -. Writes: -. Binds: -. Money: as in quality_results.
-- Rerun: gone with its connection.
create temporary table quality_results (like public.quality_results including all);
