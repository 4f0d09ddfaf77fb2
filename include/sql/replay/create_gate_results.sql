-- Puts an empty table of this connection's own before gate_results.
-- Grain: as in gate_results. Reads: -. Writes: -. Binds: -. Money: as in gate_results.
-- Rerun: gone with its connection.
create temporary table gate_results (like public.gate_results including all);
