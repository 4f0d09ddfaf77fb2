-- Reads every verdict of a run's checks.
-- Grain: one row per check and subject, failed ones first. Reads: quality_results. Writes: -. Binds: run_id. Money: -.
-- Rerun: reads only.
select
    quality_results.check_name,
    quality_results.subject,
    quality_results.severity,
    quality_results.has_passed,
    quality_results.observed,
    quality_results.message
from results.quality_results
where quality_results.run_id = %(run_id)s
order by
    quality_results.has_passed asc,
    quality_results.severity asc,
    quality_results.check_name asc,
    quality_results.subject asc;
