-- Counts the failed checks of a week, in the newest reported run of each session.
-- Grain: one row per check, most frequent first. Reads: runs, reports, quality_results.
with newest as (
    select distinct on (runs.session_date) runs.run_id
    from risk.runs
    inner join risk.reports on runs.run_id = reports.run_id
    where
        runs.session_date >= %(from_date)s
        and runs.session_date <= %(through_date)s
    order by
        runs.session_date asc,
        runs.is_point_in_time asc,
        runs.revision desc
)

select
    quality_results.check_name,
    count(*) as incident_count
from newest
inner join results.quality_results on newest.run_id = quality_results.run_id
where not quality_results.has_passed
group by quality_results.check_name
order by
    incident_count desc,
    quality_results.check_name asc;
