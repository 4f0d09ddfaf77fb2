-- Removes what an earlier attempt of the same run found about the books.
-- Grain: one row per check and subject. Writes: quality_results. Binds: run_id, check_names.
delete from results.quality_results
where
    quality_results.run_id = %(run_id)s
    and quality_results.check_name = any(%(check_names)s::text[]);
