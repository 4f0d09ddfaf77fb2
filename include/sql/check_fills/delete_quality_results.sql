-- Removes the results of an earlier attempt of the same run, those of later tasks too: they run again after it.
-- Grain: one row per check and subject. Writes: quality_results. Binds: run_id.
delete from results.quality_results
where quality_results.run_id = %(run_id)s;
