-- Clears a run's explanations, so that its task can explain again.
-- Grain: one row per account of the run. Reads: -. Writes: explanations. Binds: run_id. Money: -.
-- Rerun: changes nothing.
delete from results.explanations
where explanations.run_id = %(run_id)s;
