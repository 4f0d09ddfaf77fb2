-- Takes away the verdicts of an earlier attempt of the same run, those of later tasks too: they run again after it.
-- Grain: one row per check and subject. Reads: -. Writes: quality_results. Binds: run_id. Money: -.
-- Rerun: changes nothing.
delete from quality_results
where quality_results.run_id = %(run_id)s;
