-- Tells the planner the sizes of the small staging tables; without it a million records are joined by sorting.
-- Grain: -. Reads: staged tables. Writes: -. Binds: -. Money: -. Rerun: changes nothing.
analyze staged_files, staged_entries, staged_moments, staged_names, staged_symbols;
