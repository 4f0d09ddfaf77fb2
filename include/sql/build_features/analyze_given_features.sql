-- Tells the planner how many rows arrived, so that the comparison is one hash join.
-- Grain: -. Reads: given_features. Writes: -. Binds: -. Money: -. Rerun: changes nothing.
analyze given_features;
