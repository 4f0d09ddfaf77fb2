-- Compares the P&L of traders with and without a recommended cut for the session.
-- Grain: one row per group. Reads: runs, reports, recommendations, daily_pnl.
-- Binds: from_date, through_date (of the effective session). Money: US dollars, gains positive.
with newest as (
    select distinct on (runs.effective_session)
        runs.effective_session,
        runs.run_id
    from risk.runs
    inner join risk.reports on runs.run_id = reports.run_id
    where
        runs.effective_session >= %(from_date)s
        and runs.effective_session <= %(through_date)s
        and not runs.is_point_in_time
    order by
        runs.effective_session asc,
        runs.revision desc
)

select
    recommendations.cut_ratio > 0 as is_cut,
    count(*) as session_count,
    count(*) filter (where daily_pnl.total_pnl_usd < 0) as losing_count,
    sum(daily_pnl.total_pnl_usd) as total_pnl_usd
from newest
inner join results.recommendations on newest.run_id = recommendations.run_id
inner join derived.daily_pnl
    on
        recommendations.account_id = daily_pnl.account_id
        and newest.effective_session = daily_pnl.session_date
where
    daily_pnl.fill_count > 0
    and daily_pnl.total_pnl_usd is not null
group by recommendations.cut_ratio > 0
order by is_cut desc;
