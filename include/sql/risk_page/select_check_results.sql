-- Reads the result of every check of a run.
-- Grain: one row per check and subject, failed ones first. Reads: quality_results. Binds: run_id.
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
