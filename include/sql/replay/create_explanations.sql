-- Puts an empty table of this connection's own before explanations.
-- Grain: as in explanations. Reads: -. Writes: -. Binds: -. Money: as in explanations.
-- Rerun: gone with its connection.
create temporary table explanations (like public.explanations including all);
