-- Puts an empty table of this connection's own before recommendations.
-- Grain: one row per account. Reads: -. Writes: -. Binds: -. Money: as in recommendations.
-- Rerun: gone with its connection.
create temporary table recommendations (like public.recommendations including all);
