-- Reads for each session of a week whether it has a report, whether it was mailed, and how many traders it has.
-- Grain: one row per session, ascending.
-- Reads: sessions, runs, reports, report_deliveries, recommendations, fill_rejects.
with newest as (
    select distinct on (runs.session_date)
        runs.session_date,
        runs.run_id,
        runs.load_id
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
    sessions.session_date,
    newest.run_id is not null as is_reported,
    newest.run_id in (
        select report_deliveries.run_id
        from risk.report_deliveries
        where report_deliveries.sent_at is not null
    ) as is_mailed,
    (select count(*) from results.recommendations where recommendations.run_id = newest.run_id) as trader_count,
    (select count(*) from risk.fill_rejects where fill_rejects.load_id = newest.load_id) as rejected_count
from risk.sessions
left join newest on sessions.session_date = newest.session_date
where
    sessions.session_date >= %(from_date)s
    and sessions.session_date <= %(through_date)s
order by sessions.session_date asc;
