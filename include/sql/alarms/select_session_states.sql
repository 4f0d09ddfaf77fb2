-- Reads what exists for an effective session: limits, report, mails.
-- Grain: one row, even if nothing exists. Reads: runs, recommendations, reports, report_deliveries.
-- Point-in-time runs do not count.
with morning as (
    select runs.run_id
    from risk.runs
    where
        runs.effective_session = %(effective_session)s
        and not runs.is_point_in_time
),

limited as (
    select count(*) > 0 as has_limits
    from results.recommendations
    inner join morning on recommendations.run_id = morning.run_id
),

reported as (
    select count(*) > 0 as has_report
    from risk.reports
    inner join morning on reports.run_id = morning.run_id
),

mailed as (
    select
        min(report_deliveries.sent_at) as sent_at,
        count(report_deliveries.sent_at) as sent_count,
        count(*) filter (where report_deliveries.sent_at is null) as open_count
    from risk.report_deliveries
    inner join morning on report_deliveries.run_id = morning.run_id
)

select
    limited.has_limits,
    reported.has_report,
    mailed.sent_at,
    mailed.sent_count,
    mailed.open_count
from limited
cross join reported
cross join mailed
order by mailed.sent_at asc;
