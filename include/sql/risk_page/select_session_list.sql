-- Reads the sessions that have a report: its newest revision, how many traders it rates how, and the desk's P&L now.
-- Grain: one row per session. Reads: runs, reports, report_deliveries, publications, published_limits,
-- recommendations, daily_pnl, limit_receipts. Binds: -. Money: US dollars.
-- A point-in-time run is a session's report only where it has no other. total_pnl_usd: of complete books, as they are.
with reported as (
    select distinct on (runs.session_date)
        runs.session_date,
        runs.effective_session,
        runs.revision,
        runs.run_id,
        reports.recorded_at
    from risk.runs
    inner join risk.reports on runs.run_id = reports.run_id
    order by
        runs.session_date asc,
        runs.is_point_in_time asc,
        runs.revision desc
),

rated as (
    select
        recommendations.run_id,
        count(*) as trader_count,
        count(*) filter (where recommendations.level = 'high') as high_count,
        count(*) filter (where recommendations.cut_ratio > 0) as cut_count
    from results.recommendations
    group by recommendations.run_id
),

booked as (
    select
        daily_pnl.session_date,
        sum(daily_pnl.total_pnl_usd) as total_pnl_usd
    from derived.daily_pnl
    group by daily_pnl.session_date
),

beyond as (
    select
        limit_receipts.session_date,
        count(*) filter (where limit_receipts.outcome = 'breach') as breach_count,
        count(*) filter (where limit_receipts.outcome = 'hit') as hit_count
    from derived.limit_receipts
    where limit_receipts.outcome <> 'within'
    group by limit_receipts.session_date
)

select
    reported.session_date,
    reported.effective_session,
    reported.revision,
    reported.recorded_at,
    coalesce(rated.trader_count, 0) as trader_count,
    coalesce(rated.high_count, 0) as high_count,
    coalesce(rated.cut_count, 0) as cut_count,
    coalesce(beyond.breach_count, 0) as breach_count,
    coalesce(beyond.hit_count, 0) as hit_count,
    booked.total_pnl_usd,
    case
        when exists (
            select 1
            from risk.publications
            inner join risk.published_limits on publications.publication_id = published_limits.publication_id
            where publications.run_id = reported.run_id
        ) then 'published'
        when exists (
            select 1
            from risk.report_deliveries
            where report_deliveries.run_id = reported.run_id and report_deliveries.sent_at is not null
        ) then 'emailed'
        else 'not sent'
    end as state
from reported
left join rated on reported.run_id = rated.run_id
left join booked on reported.session_date = booked.session_date
left join beyond on reported.session_date = beyond.session_date;
