-- Takes away the reconciliation of an earlier attempt of the same run.
-- Grain: one row per account-session. Reads: -. Writes: quality_results. Binds: run_id, check_name. Money: -.
-- Rerun: changes nothing.
delete from results.quality_results
where
    quality_results.run_id = %(run_id)s
    and quality_results.check_name = %(check_name)s;
