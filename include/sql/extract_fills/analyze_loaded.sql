-- Tells the planner how large the stored tables have become; after a bulk load it would otherwise guess a few rows.
-- Grain: -. Reads: sessions, deliveries, fills, corrections. Writes: -. Binds: -. Money: -. Rerun: changes nothing.
analyze sessions, deliveries, fills, corrections;
