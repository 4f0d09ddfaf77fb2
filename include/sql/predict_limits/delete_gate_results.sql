-- Clears what the gate found for a run, so that its task can judge again.
-- Grain: one row per run. Reads: -. Writes: gate_results. Binds: run_id. Money: -. Rerun: changes nothing.
delete from results.gate_results
where gate_results.run_id = %(run_id)s;
