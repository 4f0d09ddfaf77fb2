-- Reads for each session of a week whether it has a report, whether it was mailed, and how many traders of each level.
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
),

leveled as (
    select
        newest.run_id,
        count(*) as trader_count,
        count(*) filter (where recommendations.level = 'high') as high_count,
        count(*) filter (where recommendations.level = 'moderate') as moderate_count,
        count(*) filter (where recommendations.cut_ratio > 0) as cut_count
    from newest
    inner join results.recommendations on newest.run_id = recommendations.run_id
    group by newest.run_id
)

select
    sessions.session_date,
    newest.run_id is not null as is_reported,
    newest.run_id in (
        select report_deliveries.run_id
        from risk.report_deliveries
        where report_deliveries.sent_at is not null
    ) as is_mailed,
    coalesce(leveled.trader_count, 0) as trader_count,
    coalesce(leveled.high_count, 0) as high_count,
    coalesce(leveled.moderate_count, 0) as moderate_count,
    coalesce(leveled.cut_count, 0) as cut_count,
    (select count(*) from risk.fill_rejects where fill_rejects.load_id = newest.load_id) as rejected_count
from risk.sessions
left join newest on sessions.session_date = newest.session_date
left join leveled on newest.run_id = leveled.run_id
where
    sessions.session_date >= %(from_date)s
    and sessions.session_date <= %(through_date)s
order by sessions.session_date asc;
