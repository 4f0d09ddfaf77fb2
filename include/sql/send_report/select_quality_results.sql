-- Reads the failed checks of the run.
-- Grain: one row per check and subject, blocking ones first. Reads: quality_results.
select
    quality_results.severity,
    quality_results.check_name,
    quality_results.subject,
    quality_results.message
from results.quality_results
where
    quality_results.run_id = %(run_id)s
    and not quality_results.has_passed
order by
    case quality_results.severity when 'fail' then 1 else 2 end asc,
    quality_results.check_name asc,
    quality_results.subject asc;
