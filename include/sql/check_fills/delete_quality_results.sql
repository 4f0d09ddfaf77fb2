-- Takes away the verdicts of an earlier attempt of the same run.
-- Grain: one row per check and subject. Reads: -. Writes: quality_results. Binds: run_id. Money: -.
-- Rerun: changes nothing.
delete from quality_results
where quality_results.run_id = %(run_id)s;
