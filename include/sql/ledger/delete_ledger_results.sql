-- Clears what a run knew of the worth of past recommendations, so that its task can judge again.
-- Grain: at most one row. Reads: -. Writes: ledger_results. Binds: run_id. Money: -. Rerun: changes nothing.
delete from ledger_results
where ledger_results.run_id = %(run_id)s;
