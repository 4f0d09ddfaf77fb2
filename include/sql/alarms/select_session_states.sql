-- Says what exists for the morning of a session: its limits, its report, its mails.
-- Grain: one row, also where nothing exists. Reads: runs, recommendations, reports, report_deliveries. Writes: -.
-- Binds: effective_session. Money: -. Rerun: reads only.
with morning as (
    select runs.run_id
    from runs
    where runs.effective_session = %(effective_session)s
),

mailed as (
    select
        min(report_deliveries.sent_at) as sent_at,
        count(report_deliveries.sent_at) as sent_count,
        count(*) filter (where report_deliveries.sent_at is null) as open_count
    from report_deliveries
    inner join morning on report_deliveries.run_id = morning.run_id
)

select
    mailed.sent_at,
    mailed.sent_count,
    mailed.open_count,
    exists (
        select
        from recommendations
        inner join morning on recommendations.run_id = morning.run_id
    ) as has_limits,
    exists (
        select
        from reports
        inner join morning on reports.run_id = morning.run_id
    ) as has_report
from mailed
order by mailed.sent_at asc;
