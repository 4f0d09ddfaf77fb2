-- Tells the planner the number of deliveries.
-- Grain: -. Reads: staged_deliveries. Writes: -. Binds: -. Money: -. Rerun: changes nothing.
analyze staged_deliveries;
