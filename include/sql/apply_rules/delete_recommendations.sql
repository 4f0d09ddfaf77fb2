-- Clears what a run recommended, so that its task can decide again.
-- Grain: one row per account of the run. Reads: -. Writes: recommendations. Binds: run_id. Money: -.
-- Rerun: changes nothing.
delete from results.recommendations
where recommendations.run_id = %(run_id)s;
