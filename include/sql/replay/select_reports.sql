-- Finds what was reported of a session, as known at an instant.
-- Grain: at most one row, the last revision. Reads: reports, report_digests, runs. Writes: -. Rerun: reads only.
-- Binds: session_date, as_of (null = whenever). Money: -.
-- A run as of the past is what it was asked, not what was reported that morning: it counts only without any other.
select
    runs.run_id,
    runs.as_of,
    reports.facts_sha256,
    reports.salt,
    coalesce(report_digests.report_sha256, reports.facts_sha256) as report_sha256
from risk.reports
inner join risk.runs on reports.run_id = runs.run_id
left join risk.report_digests on reports.run_id = report_digests.run_id
where
    runs.session_date = %(session_date)s
    and (%(as_of)s::timestamptz is null or runs.as_of <= %(as_of)s::timestamptz)
order by
    runs.is_point_in_time asc,
    runs.revision desc
limit 1;
